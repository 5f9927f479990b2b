"""What the speakers of the drawn scenes say for a thing, a place, a sky: from the usual word to the rare one.

In a bank the alternatives are divided by `|`. Each is said a good deal more seldom than the one before it, so
that the words have a long tail, as those of people have.
"""

from __future__ import annotations

NOUNS = {
    "house": "house|cottage|home|cabin|villa|bungalow|dwelling",
    "tree": "tree",
    "car": "car|automobile",
    "bus": "bus|coach|omnibus",
    "boat": "boat|sailboat|sailing boat|dinghy|yacht|sloop|vessel",
    "umbrella": "umbrella|parasol|brolly",
    "bench": "bench|park bench|garden bench",
    "dog": "dog|puppy|hound|pup|pooch|mutt|doggy",
    "cat": "cat|kitten|kitty|tabby|feline|pussycat",
    "sheep": "sheep|lamb",
    "girl": "girl|child|kid|lass|youngster",
    "boy": "boy|child|kid|lad|youngster",
    "bird": "bird|songbird|birdie",
    "ball": "ball|toy ball|rubber ball",
    "balloon": "balloon|party balloon|toy balloon",
    "kite": "kite|paper kite|toy kite",
    "flower": "flower|blossom|bloom",
}
PLURALS = {"sheep": "sheep", "child": "children"}  # else -s, or -es after s and ch, or -ies
COLOR_WORDS = {
    "red": "red|bright red|scarlet|crimson|cherry-red",
    "blue": "blue|bright blue|royal blue|cobalt blue|sapphire",
    "green": "green|bright green|emerald|grass-green|leaf-green",
    "yellow": "yellow|bright yellow|golden-yellow|lemon-yellow",
    "white": "white|snow-white|milk-white|chalk-white",
    "black": "black|jet-black|coal-black|raven-black|inky-black",
    "grey": "grey|silver|ash-grey|smoke-grey|steel-grey",
    "orange": "orange|bright orange|tangerine|carrot-orange|pumpkin-orange",
    "purple": "purple|violet|plum-purple|grape-purple",
    "pink": "pink|rose-pink|bright pink|candy-pink|flamingo-pink",
    "brown": "brown|chestnut|nut-brown|coffee-brown",
}
SIZE_WORDS = {
    "big": "big|large|huge|enormous|giant",
    "small": "small|little|tiny|wee",
}
LOOKS = {  # how every thing of a kind is drawn
    "house": "tidy|cosy|homely|snug",
    "tree": "leafy|bushy|full-grown",
    "car": "shiny|polished|gleaming|sleek",
    "bus": "long|shiny|gleaming|roomy",
    "boat": "trim|slender|sleek",
    "umbrella": "striped",
    "bench": "sturdy|slatted",
    "dog": "friendly|perky|faithful",
    "cat": "furry|whiskered|fluffy|alert",
    "sheep": "woolly|fluffy|curly|shaggy",
    "girl": "cheerful|happy|merry|joyful",
    "boy": "cheerful|happy|jolly|joyful",
    "bird": "plump|dainty|sprightly",
    "ball": "round|bouncy|smooth",
    "balloon": "round|shiny",
    "kite": "diamond-shaped|fluttering|pointed",
    "flower": "fresh|pretty|delicate|fragrant",
}
MANNERS = {  # each as rare as the others: of things, and of animals and children as well
    "thing": (
        "quietly peacefully silently gently neatly safely gracefully nicely prettily pleasantly snugly "
        "tranquilly noiselessly invitingly steadily cosily tidily elegantly"
    ).split(),
    "alive": (
        "quietly peacefully calmly patiently silently gently contentedly placidly serenely proudly idly "
        "lazily cheerfully comfortably nicely pleasantly undisturbed unhurriedly merrily happily dreamily "
        "gladly attentively hopefully trustingly drowsily watchfully expectantly sedately cheekily sweetly "
        "demurely"
    ).split(),
}
OPINIONS = (
    "lovely charming sweet nice splendid handsome delightful fine neat beautiful wonderful cute adorable "
    "elegant graceful pretty remarkable magnificent gorgeous fabulous marvellous superb "
    "striking enchanting winsome pleasing stunning likeable impressive exquisite dainty terrific "
    "glorious heavenly captivating eye-catching photogenic exceptional outstanding extraordinary perfect "
    "flawless spotless pristine enviable memorable admirable alluring appealing attractive bewitching "
    "commendable dazzling engaging exemplary fetching first-rate gratifying ideal immaculate incomparable "
    "inviting irresistible laudable likable matchless noteworthy peerless picturesque pleasant ravishing "
    "refined resplendent sublime sumptuous tasteful unforgettable unmatched stylish agreeable praiseworthy "
    "sterling becoming classy"
).split()
DRESSED = {  # {} is the color
    "girl": "in {}|dressed in {}|in a {} dress|wearing {}",
    "boy": "in {}|dressed in {}|in a {} shirt|wearing {}",
}
NUMBERS = {2: "two", 3: "three"}
COUNT_WORDS = {
    2: "two|two|a pair of|some|a couple of",
    3: "three|three|some|a group of three|a trio of",
}

# What a thing does: for one, for several, and in a fragment.
VERBS = {
    "house": "stands stand standing|sits sit sitting|rises rise rising|"
    "nestles nestle nestling|hides hide hiding",
    "tree": "stands stand standing|grows grow growing|"
    "flourishes flourish flourishing|thrives thrive thriving",
    "car": "is_parked are_parked parked|stands stand standing|waits wait waiting|"
    "has_stopped have_stopped stopping|halts halt halting",
    "bus": "waits wait waiting|is_parked are_parked parked|stops stop stopping|"
    "pauses pause pausing|halts halt halting",
    "boat": "sails sail sailing|floats float floating|drifts drift drifting|glides glide gliding|"
    "bobs bob bobbing|cruises cruise cruising|rocks rock rocking",
    "umbrella": "stands stand standing|is_open are_open opened|is_planted are_planted planted|"
    "is_unfolded are_unfolded unfolded|is_set_up are_set_up set_up",
    "bench": "stands stand standing|sits sit placed|waits wait waiting|rests rest resting",
    "dog": "stands stand standing|waits wait waiting|poses pose posing|watches watch watching|"
    "lingers linger lingering|pauses pause pausing",
    "cat": "sits sit sitting|rests rest resting|watches watch watching|crouches crouch crouching|"
    "lounges lounge lounging|squats squat squatting",
    "sheep": "stands stand standing|grazes graze grazing|feeds feed feeding|browses browse browsing|"
    "nibbles nibble nibbling|dawdles dawdle dawdling",
    "girl": "stands stand standing|waves wave waving|smiles smile smiling|plays play playing|"
    "grins grin grinning|beams beam beaming|poses pose posing",
    "boy": "stands stand standing|waves wave waving|smiles smile smiling|plays play playing|"
    "grins grin grinning|beams beam beaming|poses pose posing",
    "bird": "sits sit sitting|stands stand standing|hops hop hopping|rests rest resting|"
    "chirps chirp chirping|sings sing singing|pecks peck pecking",
    "ball": "lies lie lying|rests rest resting|sits sit sitting|waits wait waiting",
    "balloon": "floats float floating|hangs hang hanging|sways sway swaying|drifts drift drifting|"
    "bobs bob bobbing|dangles dangle dangling",
    "kite": "flies fly flying|hangs hang hanging|hovers hover hovering|sails sail sailing|"
    "flutters flutter fluttering|dances dance dancing",
    "flower": "grows grow growing|blooms bloom blooming|stands stand standing|"
    "blossoms blossom blossoming|sprouts sprout sprouting",
    "in the air": "flies fly flying|hovers hover hovering|soars soar soaring|"
    "glides glide gliding|circles circle circling",
    "on": "sits sit sitting|perches perch perched|rests rest resting|balances balance balancing|"
    "settles settle settling",
}

# Of the second group to the main one, and of the main one to the second.
TO_MAIN = {
    "left of": "to the left of|on the left of|on the left side of|on the left-hand side of",
    "right of": "to the right of|on the right of|on the right side of|on the right-hand side of",
    "in front of": "in front of|right in front of|just in front of",
    "above": "above|over|high above|up above",
    "under": "under|beneath|underneath",
    "on": "on top of|on|atop|upon",
}
TO_SECOND = {
    "left of": TO_MAIN["right of"], "right of": TO_MAIN["left of"],
    "in front of": "behind|right behind|just behind", "above": "below|beneath|under|underneath",
}  # fmt: skip
BESIDE = "next to|beside|by|near|close to|alongside"
WITH = {  # ... with a second group: `it` and `its` are the main one
    "left of": "to its left|on its left|on the left|on its left-hand side",
    "right of": "to its right|on its right|on the right|on its right-hand side",
    "in front of": "in front of it|in front|right in front of it",
    "above": "above it|overhead|over it|in the air above it",
    "under": "under it|beneath it|underneath|underneath it",
    "on": "on top|on it|on top of it",
}
THIRD = {
    "in the sky": "in the sky|overhead|in the air|up in the sky|aloft",
    "in the foreground": "in the foreground|at the front|right at the front",
}

PLACES_SAID = {
    "meadow": "on the grass|in a green meadow|in a meadow|in a field|on a lawn|in the countryside|"
    "in a pasture|in the country|on the turf|on the grassland|in a clearing|amid the greenery|"
    "on pastureland|on lush grass",
    "beach": "on the beach|at the beach|by the sea|on a sandy beach|at the seaside|on the seashore|"
    "by the ocean|on the coast|along the coastline|at the seafront|on the sands|"
    "by the surf",
    "lake": "by the lake|beside a lake|at the lake|by the lakeside|near a lake|on a lake shore|"
    "by a pond|on the lakefront|at the waterside|on the shore of a lake|on the lakeshore|"
    "by the waterfront",
    "street": "on the street|on a city street|in the city|in town|on the road|in a town street|downtown|"
    "on an avenue|on the asphalt|in a big city|on the tarmac|"
    "on a boulevard|on a roadway",
    "snow": "in the snow|in deep snow|on the snow|on snowy ground|in a snowy field|"
    "in a wintry landscape|on snow-covered ground|in a snowfield|in an icy landscape|"
    "on a blanket of snow|in thick snow|in powdery snow",
    "desert": "in the desert|in a desert|in the dunes|on desert sand|in a sandy desert|"
    "in the wilderness|among the dunes|in the wasteland|in an arid land|"
    "on barren ground|on dry ground|on desert dunes",
}
AFLOAT = {
    "beach": "on the sea|on the water|on the ocean|at sea|on the waves|off the coast",
    "lake": "on the lake|on the water|on a lake|on a calm lake|on a pond|on the lake water",
}
ASHORE = {  # a boat close by, and something on the land before it
    "beach": "at the beach|at the seaside|by the sea|by the ocean|at the seashore|on the coast",
    "lake": "at the lake|by the lake|beside a lake|near a lake|at the waterside|by a pond",
}
WINTRY = "in a wintry landscape|in an icy landscape|in a winter landscape"  # while it snows
GROUNDS = {  # with an article and the sky as an adjective before it
    "meadow": "in|meadow field pasture",
    "beach": "on|beach seashore coast",
    "lake": "on|lake_shore",
    "street": "on|street road avenue",
    "snow": "in|winter_landscape",
    "desert": "in|desert wilderness",
}
SKY_ADJECTIVES = {
    "sunny": "sunny|sunlit|sun-drenched",
    "cloudy": "cloudy|overcast",
    "rainy": "rainy|wet|drizzly|rain-soaked",
    "night": "moonlit|dark|starlit",
    "sunset": "sunset|twilit",
    "snowing": "snow-swept|snowy",
}
SKIES_SAID = {
    "sunny": "in the sun|on a sunny day|in bright sunshine|under a blue sky|while the sun shines|"
    "in the sunlight|on a bright day|under a bright blue sky|in fine weather|in summery weather|"
    "in glorious weather|in the heat of the sun|in brilliant sunshine|"
    "in dazzling sunlight|in warm sunshine",
    "cloudy": "under a cloudy sky|on a cloudy day|under grey clouds|in cloudy weather|below grey clouds|"
    "under an overcast sky|on a dull day|beneath gloomy clouds|in dreary weather|in murky weather|"
    "in the gloom|under a leaden sky|under heavy clouds|in grey weather",
    "rainy": "in the rain|on a rainy day|while it rains|in rainy weather|in a rain shower|"
    "in the pouring rain|in a drizzle|in a downpour|in wet weather|in a cloudburst|in a rainstorm|"
    "in damp weather|in a deluge|in heavy rain|in steady rain",
    "night": "at night|under the stars|in the moonlight|on a starry night|late at night|after dark|"
    "under the moon|by moonlight|in the darkness|during the night|by starlight|at nighttime|"
    "under twinkling stars|in silvery moonlight|under the night sky",
    "sunset": "at sunset|in the evening|in the sunset|as the sun sets|in the evening light|"
    "in the evening sun|in the glow of the sunset|at the end of the day|at day's end|in the evening glow|"
    "in the last sunlight|against the setting sun|in the fading light",
    "snowing": "while it snows|on a snowy day|as snow falls|in falling snow|during a snowfall|"
    "in a snowstorm|in a flurry of snow|among snowflakes|in a blizzard|in a whirl of snow|amid swirling snow|"
    "in a snow shower",
}
SKY_OPENERS = {
    "sunny": "It is a sunny day|The sun is shining|It is sunny|The sun is out|It is a bright day",
    "cloudy": "It is a cloudy day|It is cloudy|Clouds cover the sky|The sky is grey|The sky is overcast|"
    "It is overcast",
    "rainy": "It is raining|It is a rainy day|Rain is falling|It is drizzling|It is pouring",
    "night": "It is night|The moon is out|It is a starry night|Night has fallen|The stars are out|It is dark",
    "sunset": "The sun is setting|It is evening|Evening has come|The day is ending",
    "snowing": "It is snowing|Snow is falling|It is a snowy day|Snowflakes are falling",
}
FRAMES = (
    "we see|the picture shows|I can see|you can see|here {be}|this is a picture of|"
    "this drawing shows|one sees"
)
SEEN = "can be seen|{be} seen|{be} visible|can be spotted"
