"""What the words of a caption mean in the world of the drawn scenes: the lexicon of `utils.truth`.

It is its own: nothing here comes from the words or the grammar of the speakers.
"""

from __future__ import annotations

import itertools
from typing import Any

# The lexicon. "meaning: entries;" where "_" joins the words of an entry, "/" parts a choice and "?" marks a word
# that may be missing. The longest entry that fits is read.
THINGS = """house: house home cottage cabin building villa bungalow hut farmhouse dwelling residence chalet;
tree: tree palm/pine/oak/fir/fruit/apple_tree oak pine fir birch willow palm conifer evergreen;
car: car automobile sedan hatchback motorcar motor/passenger/toy_car auto saloon coupe; car bus: vehicle;
bus: bus coach omnibus minibus city/school/tour/passenger_bus; sheep: sheep lamb ewe ram; kite: toy?_kite;
boat: boat sailboat sailing/fishing/row/rowing_boat rowboat yacht dinghy vessel ship ketch sloop;
umbrella: beach?_umbrella parasol sunshade sun_shade brolly; bench: park/garden?_bench bench?_seat;
dog: dog doggy doggie puppy pup puppy_dog hound mutt pooch terrier canine; ball balloon kite: toy plaything;
cat: house?_cat kitten kitty tabby pussycat feline tomcat; dog cat: pet; ball: beach/toy/play/rubber?_ball football playball;
girl: girl lass lassie schoolgirl daughter; boy: boy lad laddie schoolboy son; balloon: party/toy/air?_balloon;
bird: bird songbird sparrow robin seagull gull birdie; flower: wild?_flower wildflower blossom bloom tulip daisy rose;
girl boy: child kid youngster toddler person human pupil; dog cat sheep bird: animal creature beast critter"""
PLURALS = {"child": "children", "person": "people", "sheep": "sheep"}
COLORS = """red: red scarlet crimson ruby cherry_red blood_red; blue: sky/navy/royal?_blue azure navy cobalt sapphire bluish;
green: grass/lime/leaf/olive/emerald?_green emerald greenish; yellow: lemon/golden?_yellow golden gold lemon yellowish;
white: snow/snowy/milk/chalk?_white ivory whitish cream; black: jet/coal/pitch/raven/inky?_black ebony;
pink: rose/hot/salmon/flamingo?_pink rosy fuchsia rose_colored;
orange: orange tangerine ginger apricot carrot/pumpkin_colored;
purple: purple violet lilac lavender mauve plum/grape_colored;
brown: chocolate/chestnut/nut/coffee?_brown chestnut tan chocolate hazel tawny;
grey: ash/slate/silver/smoke/steel?_grey/gray silver silvery greyish grayish"""
SIZES = """big: big large huge giant enormous massive tall gigantic sizeable sizable oversized immense hefty;
small: small little tiny miniature mini petite short wee compact diminutive"""
COUNTS = """1: one 1 a?_lone/single/solitary; 2: two 2 both_the? a?_pair/couple_of twin;
3: three 3 a?_trio_of all_three; 4: four 4; 5: five 5 six seven eight nine ten dozen;
several: some several a?_few many numerous multiple lots_of a_lot/number_of various a?_group/flock/herd/bunch_of"""
# What words say of place or weather: one of the names before the colon. Without a name, they say nothing.
NOUNS_OF_SETTING = """meadow: meadow/meadows grass grassland field/fields pasture countryside lawn farmland
in_the_country green_hill/hills the_park meadowland greenery; lake: lake lakeside lakefront lakeshore pond lagoon;
beach: beach seaside seashore coast coastline sea/seas ocean surf seafront sandy_beach/shore/coast/bay tide
the/gentle/small_waves on/in/by/near/over_the?_waves; beach lake: water/waters waterside waterfront shore shoreline bay;
street: street/streets road/roads roadside town city avenue pavement sidewalk kerb curb downtown asphalt lane alley
boulevard tarmac crosswalk roadway; snow: fresh/deep?_snow winter wintertime snowfield snowdrift/snowdrifts snowscape
snow_covered_ground blanket/layer/field_of_snow; beach desert: sand sands; night sunset: nightfall;
desert: desert dune/dunes sand_dune/dunes cactus cacti wilderness wasteland dry_land/ground barren/arid_land;
snow snowing: in_heavy/light/thick/soft_snow snowy/wintry/white_field/fields/ground/hills/land/landscape/world;
sunny: sun sunshine sunlight sun_shines/shining clear/blue/cloudless/bright_blue?_sky/skies bright/clear_day/weather
fine/fair/nice/good_weather; sunny cloudy rainy snowing: morning afternoon noon midday daytime daylight by_day;
cloudy: cloud/clouds cloud_cover gray/grey/leaden/dull/gloomy/murky_sky/skies/day/weather/clouds/light;
rainy: rain raining rains rained rainfall raindrop/raindrops drizzle drizzling drizzles shower/showers downpour
pouring storm rain/storm_clouds puddle/puddles rainstorm; sunrise: sunrise dawn daybreak;
night: night nighttime moon moonlight star/stars starlight darkness in_the_dark after_dark midnight
dark/black_sky/skies/night clear_night; sunset: sunset/sunsets dusk evening twilight sundown golden_hour afterglow
sun_is?_setting/sets/sinks/sinking/set/going/goes/dips_down? setting/low/sinking/evening_sun end_of_the?_day
red/orange/pink/golden/purple/glowing/evening_sky/skies evening_light day_ends/fades;
snowing: snowing snows snowfall snowflake/snowflakes snowstorm flurry flurries blizzard snowy/wintry_weather/day/sky
falling/drifting/swirling_snow snow_is?_gently/softly/quietly/slowly/steadily?_falling/fall/falls/fell
snow_is?_coming/comes/drifting/drifts/floats/swirls/swirling_down?;
: picture photo photograph image drawing painting scene view shot sketch illustration snapshot sky skies day weather
air light glow horizon ground side edge middle centre center corner place spot area landscape distance wind breeze
shade scenery world land foreground background front hour time artwork colors colours hill hills in_the_distance"""
ADJECTIVES_OF_SETTING = """meadow: grassy; street: urban; snow: snow_covered/capped/clad snowbound;
snowing: snow_swept; snow snowing: snowy wintry;
desert: barren arid parched; beach desert: sandy; sunny: sunny sunlit cloudless sun_drenched; rainy: rainy drizzly
showery wet stormy rain_soaked; sunset: twilit; cloudy: cloudy overcast clouded dull gloomy; night: moonlit starry starlit dark nocturnal"""
SIDES = """{0} of, ~{1} of: to/on/at?_the?_{0}_hand?_side?_of/from
to/on/at_its/their/his/her_{0}_hand?_side?_by?;"""
SIDE = "{0} of, ~{1} of: to/on/at_the?_{0}_hand?_side? to/on/at/in_the_{0}_side?_of_the/this_picture/image/photo/scene;"
# What relates one thing to another. A comma parts what is as good; "A ~under B" is "B under A".
RELATIONS = f"""{SIDES.format("left", "right")}{SIDES.format("right", "left")}
in front of: in_front_of before ahead_of at/in_the_front_of at/in/to_its/their_front;
~in front of: behind at/in/on/round/around_the_back_of in_back_of beyond at/to_its/their/his/her_back/rear;
above, ~under: high/up/far?_above/over overhead_of over/above_its/their/his/her_head/heads/roof/roofs/top; ~under: shelters
shading shades sheltering shielding covering covers; under, ~above, ~on: under below beneath underneath;
under, ~above: in/under/below/beneath_the?_shade/shadow/shelter/cover_of sheltered/shaded/covered/shielded_by
in/under/beneath_its/their/his/her_shade/shadow/shelter/branches/cover/canopy;
on: on upon atop on_top_of onto on_the?_roof/top/seat/back/deck/branch/branches_of in inside aboard
on_its/their/his/her_top/roof/back/deck/seat/branch/branches; left of, right of, ~left of, ~right of: beside next_to by
near_to? close_to alongside adjacent_to at/by/on?_the_side_of not_far_from nearby at/by/on_its/their/his/her_side/sides"""
POSITIONS = f"""{SIDE.format("left", "right")}{SIDE.format("right", "left")} on: on_top on_the_roof/top;
in the sky: in/across/through/into/against_the_sky/air/heavens aloft airborne up?_high_up skyward on_high up_there
up/high?_up?_in_the_sky/air in/through_mid_air up_high; in the sky, ~under: overhead above up/high/far_above;
in the foreground: in/at_the_near?_foreground in/at/up/out?_the?_front; under, ~above, ~on: below beneath underneath;
in the background: in/at_the_background/back/rear behind; left of, right of, ~left of, ~right of: nearby beside
alongside close_by at/by/to_the_side next_door"""
# "loose" words may stand among the adjectives of a noun; "of" words and verbs end them.
WORDS = """det: a an the another this these those every each its their his; and: and while as but plus when whilst
where then whereas; with: with has have having had holds holding hold carries carrying carry bears bearing features
featuring joined/accompanied_by together/along_with; that: that who which whom; pron: it them him he she they itself;
her: her; of: of at for from to along across through into toward towards around against amid during past among;
verb: lie lies lying is are was were be been can could may might will we you i one_can us do does there here sat lay lies lying
stood grown flew flown swam seen shown shone fallen fell came went ran grew sees wears sits sit gets got like let what;
loose: lovely pretty old new young nice cute happy lonely friendly shiny bright quiet calm peaceful gentle empty
busy wide open long narrow lush bare wooden playful lazy sleepy tired leafy fine good great grand colourful colorful
fluffy furry woolly cheerful merry sweet fresh warm cold hot cool crisp clear soft typical simple plain asleep awake
alone together very quite rather really so too also just directly slightly straight still quietly calmly happily
gently slowly softly peacefully brightly proudly lazily silently steadily side_by_side in_a_row/line up down out away
off back all whole same other more only even again now nearly almost maybe somewhere over_there deep high low wearing
dressed clad coloured colored in_colour/color on_its/their/his/her_own by_itself/themselves/himself/herself main far
hand_in_hand holding_hands well visible ahead pale a_little/bit_way beautiful charming tidy heavy wonderful idle
paper round striped diamond_shaped plump feathered whiskered bouncy sturdy collared bushy dainty dry late undisturbed
neat dear handsome graceful quaint attractive elegant familiar adorable picturesque splendid delightful slender
stately ordinary remarkable unremarkable smooth airy slatted cosy perky faithful domed amusing curly shaggy delicate
fragrant jolly windowed homely rounded shady pointed chimneyed alert found built trim;
carrier: dress dresses frock frocks skirt gown outfit outfits shirt shirts t_shirt/shirts tee top tops jumper jumpers
sweater sweaters jacket coat coats clothes clothing colour color wool fur fleece feathers petals leaves walls suit"""
VERBS = """stand sit wait graze wave grow sail float fly hover drift rest sleep play park moor bob bloom blossom walk run
jump roll drive ride move stroll wander swim soar glide perch roost nap doze relax watch look stare gaze face pose appear
show see spot depict display picture include contain gather cluster huddle line shine smile idle crouch balance spread feed browse flourish chirp hop lounge nestle
settle grin pause amble nibble halt beam dawdle greet squat peck sing thrive bounce remain dangle flutter dance plant
unfold open polish hide cover gleam flower fall come go pass travel stop cruise
anchor tie hang rise tower stretch bathe bounce dance follow lead fill place set surround enjoy locate find notice observe
catch capture present represent illustrate describe stay remain live twinkle pour paint linger circle wade trot keep glow"""


def _table(text: str) -> dict[str, str]:
    """Each entry of a table, every choice made, with its meaning."""
    table = {}
    for meaning, entries in (row.split(":") for row in text.rstrip(";").split(";")):
        for entry in entries.split():
            choices = [[*part.rstrip("?").split("/"), *[""] * ("?" in part)] for part in entry.split("_")]
            for words in itertools.product(*choices):
                table[" ".join(filter(None, words))] = " ".join(meaning.split())
    return table


def _build_lexicon() -> dict[str, tuple[str, Any]]:
    """What each word or phrase is and means. The later of two meanings counts."""
    lexicon: dict[str, tuple[str, Any]] = {}
    for verb in VERBS.split():
        stem = verb.removesuffix("e")
        for part in (verb + verb[-1], stem, verb.removesuffix("y") + "i"):  # running; waved; carried
            lexicon |= {part + "ing": ("loose", None), part + "ed": ("loose", None)}
        lexicon |= {verb: ("verb", None), _with_s(verb): ("verb", None)}
    lexicon |= {text: (kind, None) for text, kind in _table(WORDS).items()}
    for table, adjective in ((NOUNS_OF_SETTING, False), (ADJECTIVES_OF_SETTING, True)):
        lexicon |= {text: ("setting", (frozenset(v.split()), adjective)) for text, v in _table(table).items()}
    for text, kinds in _table(THINGS).items():
        many = PLURALS.get(text, _with_s(text))
        lexicon[many] = ("noun", (frozenset(kinds.split()), True))
        lexicon[text] = ("noun", (frozenset(kinds.split()), None if many == text else False))
    for text, color in _table(COLORS).items():
        for shade in ("light ", "dark ", "pale ", "bright ", "deep ", ""):
            lexicon[shade + text] = ("color", color)
    lexicon |= {text: ("size", size) for text, size in _table(SIZES).items()}
    lexicon |= {text: ("count", int(n) if n.isdigit() else n) for text, n in _table(COUNTS).items()}
    for text in RELATING | PLACING:
        lexicon[text] = lexicon["right " + text] = ("relation", text)
    return lexicon


def _with_s(word: str) -> str:
    if word[-1] == "y" and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


RELATING, PLACING = _table(RELATIONS), _table(POSITIONS)
LEXICON = _build_lexicon()
LONGEST = max(len(text.split()) for text in LEXICON)
