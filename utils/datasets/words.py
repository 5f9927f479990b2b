"""What the speakers of the drawn scenes say for a thing, a place, a sky: from the usual word to the rare one.

In a bank the alternatives are divided by `|`. Each is said a good deal more seldom than the one before it, so
that the words have a long tail, as those of people have.
"""

from __future__ import annotations

NOUNS = {
    "house": "house|cottage|home|cabin|villa|bungalow|dwelling",
    "tree": "tree",
    "car": "car|automobile|hatchback|motorcar|sedan",
    "bus": "bus|coach|minibus|omnibus",
    "boat": "boat|sailboat|sailing boat|dinghy|yacht|sloop|vessel",
    "umbrella": "umbrella|parasol|sunshade|brolly",
    "bench": "bench|park bench|seat|garden bench",
    "dog": "dog|puppy|hound|pup|pooch|mutt|doggy",
    "cat": "cat|kitten|kitty|tabby|tomcat|feline|pussycat",
    "sheep": "sheep|lamb|ewe",
    "girl": "girl|child|young girl|schoolgirl|kid|lass",
    "boy": "boy|child|young boy|schoolboy|lad|kid|youngster",
    "bird": "bird|songbird|birdie",
    "ball": "ball|toy ball|rubber ball|playball",
    "balloon": "balloon|party balloon|toy balloon",
    "kite": "kite|paper kite|toy kite",
    "flower": "flower|blossom|bloom",
}
PLURALS = {"sheep": "sheep", "child": "children"}  # else -s, or -es after s and ch, or -ies
COLOR_WORDS = {
    "red": "red|bright red|scarlet|crimson|cherry-red",
    "blue": "blue|bright blue|azure|navy|sapphire",
    "green": "green|bright green|emerald|grass-green|leaf-green",
    "yellow": "yellow|bright yellow|golden|lemon-yellow",
    "white": "white|snow-white|milk-white|chalk-white",
    "black": "black|jet-black|coal-black|raven-black|inky-black",
    "grey": "grey|silver|ash-grey|smoke-grey|steel-grey",
    "orange": "orange|bright orange|tangerine|carrot-colored|pumpkin-colored",
    "purple": "purple|violet|lilac|plum-colored|grape-colored",
    "pink": "pink|rosy|rose-colored|salmon-pink|flamingo-pink",
    "brown": "brown|chestnut|tan|nut-brown|coffee-brown",
}
SIZE_WORDS = {
    "big": "big|large|huge|great|enormous|hefty",
    "small": "small|little|tiny|miniature|wee",
}
LOOKS = {  # how every thing of a kind is drawn
    "house": "tidy|cosy|chimneyed|homely",
    "tree": "leafy|bushy|shady|rounded",
    "car": "shiny|parked|polished|gleaming",
    "bus": "long|parked|windowed",
    "boat": "wooden|trim|slender",
    "umbrella": "striped|open|domed",
    "bench": "wooden|sturdy|slatted",
    "dog": "friendly|collared|perky|faithful",
    "cat": "furry|whiskered|fluffy|alert",
    "sheep": "woolly|fluffy|curly|shaggy",
    "girl": "waving|cheerful|happy|merry",
    "boy": "waving|cheerful|happy|jolly",
    "bird": "feathered|plump|dainty",
    "ball": "round|bouncy|smooth",
    "balloon": "round|shiny|airy",
    "kite": "diamond-shaped|fluttering|pointed",
    "flower": "fresh|pretty|delicate|fragrant",
}
MANNERS = (  # each as rare as the others
    "quietly peacefully calmly patiently silently gently contentedly motionlessly placidly serenely "
    "proudly idly lazily prettily neatly firmly cheerfully comfortably gracefully harmlessly solemnly "
    "modestly nicely pleasantly safely steadily undisturbed unhurriedly merrily happily dreamily "
    "politely bravely invitingly majestically"
).split()
OPINIONS = (
    "lovely charming sweet ordinary simple typical nice splendid handsome delightful fine neat "
    "beautiful wonderful cute picturesque plain familiar adorable elegant remarkable attractive "
    "unremarkable amusing dear stately quaint graceful"
).split()
DRESSED = {  # {} is the color
    "girl": "in {}|dressed in {}|in a {} dress|wearing {}|in a {} frock",
    "boy": "in {}|dressed in {}|in a {} shirt|wearing {}|in a {} jumper",
}
NUMBERS = {2: "two", 3: "three"}
COUNT_WORDS = {
    2: "two|two|a pair of|some|a couple of",
    3: "three|three|some|a group of three|a trio of",
}

# What a thing does: for one, for several, and in a fragment.
VERBS = {
    "house": "stands stand standing|is are built|sits sit sitting|rises rise rising|"
    "nestles nestle nestling|hides hide hiding",
    "tree": "stands stand standing|grows grow growing|spreads spread spreading|rises rise rising|"
    "flourishes flourish flourishing|thrives thrive thriving",
    "car": "is_parked are_parked parked|stands stand standing|waits wait waiting|"
    "has_stopped have_stopped stopping|idles idle idling|is_halted are_halted halted",
    "bus": "waits wait waiting|is_parked are_parked parked|stops stop stopping|idles idle idling|"
    "pauses pause pausing|halts halt halting",
    "boat": "sails sail sailing|floats float floating|drifts drift drifting|glides glide gliding|"
    "bobs bob bobbing|cruises cruise cruising|rocks rock rocking",
    "umbrella": "stands stand standing|is_open are_open opened|is_planted are_planted planted|"
    "is_unfolded are_unfolded unfolded|is_spread are_spread spread|is_set_up are_set_up set_up",
    "bench": "stands stand standing|is are placed|waits wait waiting|is_set are_set set|"
    "is_found are_found found|remains remain remaining",
    "dog": "stands stand standing|walks walk walking|trots trot trotting|strolls stroll strolling|"
    "ambles amble ambling|wanders wander wandering",
    "cat": "sits sit sitting|rests rest resting|watches watch watching|crouches crouch crouching|"
    "lounges lounge lounging|squats squat squatting",
    "sheep": "stands stand standing|grazes graze grazing|feeds feed feeding|browses browse browsing|"
    "nibbles nibble nibbling|dawdles dawdle dawdling",
    "girl": "stands stand standing|waves wave waving|smiles smile smiling|plays play playing|"
    "grins grin grinning|beams beam beaming|greets greet greeting",
    "boy": "stands stand standing|waves wave waving|smiles smile smiling|plays play playing|"
    "grins grin grinning|beams beam beaming|poses pose posing",
    "bird": "sits sit sitting|stands stand standing|hops hop hopping|rests rest resting|"
    "chirps chirp chirping|sings sing singing|pecks peck pecking",
    "ball": "lies lie lying|rests rest resting|rolls roll rolling|sits sit sitting|"
    "remains remain remaining|bounces bounce bouncing",
    "balloon": "floats float floating|hangs hang hanging|sways sway swaying|drifts drift drifting|"
    "bobs bob bobbing|dangles dangle dangling",
    "kite": "flies fly flying|hangs hang hanging|hovers hover hovering|sails sail sailing|"
    "flutters flutter fluttering|dances dance dancing",
    "flower": "grows grow growing|blooms bloom blooming|stands stand standing|"
    "blossoms blossom blossoming|sprouts sprout sprouting",
    "in the air": "flies fly flying|floats float floating|hovers hover hovering|drifts drift drifting|"
    "soars soar soaring|glides glide gliding|circles circle circling",
    "on": "sits sit sitting|perches perch perched|rests rest resting|balances balance balancing|"
    "settles settle settling|crouches crouch crouching",
}

# Of the second group to the main one, and of the main one to the second.
TO_MAIN = {
    "left of": "to the left of|on the left of|left of|on the left side of|on the left-hand side of",
    "right of": "to the right of|on the right of|right of|on the right side of|on the right-hand side of",
    "in front of": "in front of|before|ahead of",
    "above": "above|over|high above|up above",
    "under": "under|beneath|below|underneath|in the shade of",
    "on": "on top of|on|atop|upon",
}
TO_SECOND = {
    "left of": TO_MAIN["right of"], "right of": TO_MAIN["left of"],
    "in front of": "behind|at the back of", "above": "below|beneath|under|underneath",
}  # fmt: skip
BESIDE = "next to|beside|by|near|close to|alongside"
WITH = {  # ... with a second group: `it` and `its` are the main one
    "left of": "to its left|on its left|on the left|at its left side",
    "right of": "to its right|on its right|on the right|at its right side",
    "in front of": "in front of it|in front|before it",
    "above": "above it|overhead|over it|in the air above it",
    "under": "under it|beneath it|below it|underneath|in its shade",
    "on": "on top|on it|on top of it",
}
THIRD = {
    "in the sky": "in the sky|overhead|in the air|up in the sky|aloft",
    "in the foreground": "in the foreground|at the front|right at the front",
}

PLACES_SAID = {
    "meadow": "on the grass|in a green meadow|in a meadow|in a field|on a lawn|in the countryside|"
    "in a pasture|in the country|on the turf|in the grassland|in a clearing",
    "beach": "on the beach|at the beach|by the sea|on a sandy beach|at the seaside|on the seashore|"
    "by the ocean|on the coast|on a strand|at the coastline",
    "lake": "by the lake|beside a lake|at the lake|at the lakeside|near a lake|on a lake shore|"
    "by a pond|on a lakefront|at the waterside|on the bank of a lake",
    "street": "on the street|on a city street|in the city|in town|on the road|in a town street|downtown|"
    "along the pavement|on an avenue|on the asphalt|in a metropolis",
    "snow": "in the snow|in deep snow|on the snow|in winter|on snowy ground|in a snowy field|"
    "in a wintry landscape|on snow-covered ground|in a snowfield|in a snowdrift|in an icy landscape",
    "desert": "in the desert|in a dry desert|in the dunes|on desert sand|in a sandy desert|"
    "in the wilderness|among the dunes|in the wasteland|in an arid land",
}
AFLOAT = {
    "beach": "on the sea|on the water|on the ocean|at sea|on the waves|off the coast",
    "lake": "on the lake|on the water|on a lake|on a calm lake|on a pond|on the lake water",
}
GROUNDS = {  # with an article and the sky as an adjective before it
    "meadow": "in|meadow field pasture landscape_of_grass",
    "beach": "on|beach seashore coast",
    "lake": "by|lake pond",
    "street": "on|street road avenue",
    "snow": "in|winter_landscape snowfield",
    "desert": "in|desert wilderness",
}
SKY_ADJECTIVES = {
    "sunny": "sunny|sunlit|sun-drenched",
    "cloudy": "cloudy|overcast|dull",
    "rainy": "rainy|wet|drizzly|rain-soaked",
    "night": "moonlit|dark|starlit|night-time",
    "sunset": "sunset|evening|twilit",
    "snowing": "snow-swept|snowy",
}
SKIES_SAID = {
    "sunny": "in the sun|on a sunny day|in bright sunshine|under a blue sky|while the sun shines|"
    "in the sunlight|on a bright day|under a clear sky|in fine weather|in summery weather|"
    "in glorious weather|in the heat of the sun",
    "cloudy": "under a cloudy sky|on a cloudy day|under grey clouds|in cloudy weather|below dull clouds|"
    "under an overcast sky|on a dull day|beneath gloomy clouds|in dreary weather|in murky weather|"
    "in the gloom",
    "rainy": "in the rain|on a rainy day|while it rains|in rainy weather|in a shower|"
    "in the pouring rain|in a drizzle|in a downpour|in wet weather|in a cloudburst|in a rainstorm|"
    "in damp weather",
    "night": "at night|under the stars|in the moonlight|on a starry night|late at night|after dark|"
    "under the moon|by moonlight|in the darkness|during the night|by starlight|at nighttime",
    "sunset": "at sunset|in the evening|at dusk|as the sun sets|in the evening light|"
    "as the sun goes down|at twilight|in the glow of the sunset|at the end of the day|at sundown|"
    "at eventide|in the last light",
    "snowing": "while it snows|on a snowy day|as snow falls|in falling snow|during a snowfall|"
    "in a snowstorm|in a flurry|among snowflakes|in a blizzard|in a whirl of snow",
}
SKY_OPENERS = {
    "sunny": "It is a sunny day|The sun shines|It is sunny|The sun is out|It is a bright day|"
    "The sky is clear",
    "cloudy": "It is a cloudy day|It is cloudy|Clouds cover the sky|The sky is grey|The sky is overcast|"
    "It is overcast",
    "rainy": "It is raining|It is a rainy day|Rain falls|It rains|It is drizzling|It is pouring",
    "night": "It is night|The moon shines|It is a starry night|Night has fallen|The stars are out|It is dark",
    "sunset": "The sun is setting|It is evening|The sun sets|The sun goes down|Dusk falls|Evening comes",
    "snowing": "It is snowing|It snows|Snow falls|Snow is falling|It is a snowy day|Snowflakes fall",
}
FRAMES = (
    "we see|there {be}|the picture shows|I can see|you can see|here {be}|this is a picture of|"
    "a drawing of|one sees"
)
SEEN = "can be seen|{be} seen|{be} visible|can be spotted"
