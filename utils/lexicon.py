"""What the words of a caption mean in the world of the drawn scenes: the lexicon of `utils.truth`.

It is its own: it imports nothing of the speakers, and was extended until it knew all that they say.

A table is a list of rows, "meaning: entries;". In an entry, "_" joins words, "/" parts a choice and "?" marks
what may be missing; {its} stands for its, their, his and her. The longest entry that fits is read. Of two
meanings the first counts.
"""

from __future__ import annotations

import itertools
import re

# "way|alone": what relates a thing to another one, and what the words say where none follows. A comma parts
# what is as good, and "A ~under B" is "B under A"; "nothing" never holds.
RELATIONS = """
left of|: to/on/at?_the?_left_hand?_side?_of/from to/on/at_{its}_left_hand?_side?_by?;
|left of: left to/on/at_the?_far?_left_hand?_side? to/on/at/in_the_left_side?_of_the/this_picture/image/scene;
right of|: to/on/at?_the?_right_hand?_side?_of/from to/on/at_{its}_right_hand?_side?_by?;
|right of: right to/on/at_the?_far?_right_hand?_side?
    to/on/at/in_the_right_side?_of_the/this_picture/image/scene;
in front of|: in_front_of right/just/directly_in_front_of before ahead_of at/in_the_front_of
    in/at/to_{its}_front;
~in front of|~in front of: right?_behind;
~in front of|: at/in/on/round/around_the_back_of in_back_of beyond at/to_{its}_back/rear;
above,~under|: over high/up/far_above/over over/above_{its}_head/heads/roof/roofs;
above,~under|in the sky,~under: right?_above;
above,~under|: right_over;
~under|: shelters shading shades sheltering shielding cover/covers/covering;
under,~above,~on|under,~above,~on: right?_under/below/beneath/underneath;
under,~above|: shelter/shelters/sheltering/sheltered_under/beneath/below
    in/under/below/beneath_the?_shade/shadow/shelter/cover_of sheltered/shaded/covered_by
    in/under/beneath_{its}_shade/shadow/shelter/branches/canopy;
on|: right?_on upon atop right?_on_top_of onto on_the?_roof/top/seat/back/branch/branches/edge/deck_of aboard
    on_{its}_top/roof/back/seat/branches/deck;
|on: on_top on_the_roof/top;
nothing|: in inside wear/wears/wearing into through across across_from opposite out_of between among amid
    on/at_both/all/each/either_sides/side/end/ends_of;
left of,right of|: right?_next_to right?_by near_to? against close_to adjacent_to not_far_from
    at/by/on?_the_side_of at/by_{its}_side/sides;
left of,right of|left of,right of: right?_beside alongside nearby close_by at/by/to_the_side;
|in the sky: in/across/through/into/against_the_sky/air/heavens aloft airborne up?_high_up up_there on_high
    up/high?_up?_in_the_sky/air in/through_mid_air in_flight;
|in the sky,~under: overhead;
|in the foreground: in/at_the_near?_foreground right?_in/at/up/out?_the?_front"""

# "kinds+count": a noun is one of the kinds. Plurals are made below, but for those that stand here.
THINGS = """
house: house home cottage cabin building villa bungalow hut farmhouse dwelling residence chalet; tree: tree
palm/pine/oak/fir/fruit/apple_tree oak pine fir birch willow palm conifer evergreen; car: car automobile
sedan hatchback motorcar motor/passenger/toy_car auto saloon coupe; car bus: vehicle; bus: bus coach omnibus
minibus city/school/tour/passenger_bus; sheep: lamb ewe ram; sheep+: sheep; kite: toy/paper?_kite; boat: boat
sailboat sailing/fishing/row/rowing_boat rowboat yacht dinghy vessel ship sloop; umbrella: beach?_umbrella
parasol sunshade sun_shade brolly; bench: park/garden?_bench bench?_seat; dog: dog doggy doggie puppy pup
doggo puppy_dog hound mutt pooch terrier canine; ball balloon kite: toy plaything; cat: house?_cat kitten
kitty tabby pussycat feline tomcat; dog cat: pet; ball: beach/toy/play/rubber?_ball football playball; girl:
young?_girl lass lassie schoolgirl daughter sister; boy: young?_boy lad laddie schoolboy son brother;
balloon: party/toy/air?_balloon; bird: bird songbird sparrow robin seagull gull birdie; flower: wild?_flower
wildflower tulip daisy rose; girl boy: child kid youngster toddler person human pupil; girl boy+several:
children people; dog cat sheep bird: animal creature beast critter"""
# Verbs as well: nouns only after "a", "the", "red" and the like.
BLOSSOMS = "flower+1: bloom blossom; flower+several: blooms blossoms"

COLORS = """
red: red scarlet crimson ruby cherry/blood_red maroon; blue: blue sky/navy/royal/cobalt_blue azure navy
cobalt sapphire; green: green grass/lime/leaf/olive/emerald_green emerald; yellow: yellow lemon/golden_yellow
golden gold lemon; white: white snow/snowy/milk/chalk_white ivory cream; black: black
jet/coal/pitch/raven/inky_black ebony; pink: pink rose/hot/salmon/flamingo/candy_pink rosy fuchsia
rose_colored/coloured; orange: orange tangerine ginger apricot carrot/pumpkin_colored/coloured/orange;
purple: purple violet lilac lavender mauve plum/grape_colored/coloured/purple; brown: brown
chocolate/chestnut/nut/coffee_brown chestnut tan chocolate hazel tawny; grey: grey gray
ash/slate/silver/smoke/steel_grey/gray silver silvery"""
SHADES = "light dark pale bright deep".split()
SIZES = """
big: big large huge great giant enormous massive tall gigantic sizeable immense hefty; small: small little
tiny mini miniature short petite wee compact"""
NUMBERS = """
1: one 1 a?_lone/single/solitary; 2: two 2 both_the? a?_pair/couple_of; 3: three 3 a?_trio_of
a_group_of_three all_three; 9: four 4 five six seven eight nine ten dozen"""
SEVERAL = "several: some several a?_few many numerous lots/a_lot_of a?_group/flock/herd/bunch/number_of"

# Names of places and weathers, of which one has to hold; without a name, an entry says nothing.
SETTINGS = """
snowing: snow_shower swirling_snow snowing snows snowfall snowflake snowstorm flurry blizzard
snowy/wintry_weather/day/sky falling_snow whirl_of_snow snow_is?_gently/softly/quietly/slowly?_falling/falls
snow_is?_coming/comes/drifting/drifts_down?; meadow: meadow grass grassland field pasture countryside lawn
farmland park greenery turf clearing in_the_country green_hill pastureland; beach: beach seaside seashore
coast coastline sea ocean surf seafront strand sandy_beach/shore/coast the_waves on/in/by_the?_waves; lake:
lake lakeside lakeshore lakefront lagoon pond bank_of_a/the_lake; beach lake: water waterside waterfront
shore shoreline bay; street: street road roadside town city avenue pavement sidewalk kerb curb downtown
asphalt lane alley boulevard metropolis tarmac roadway; snow: fresh/deep/thick/powdery?_snow blanket_of_snow
winter wintertime snowdrift snowfield snow_covered_ground; snow snowing: in_heavy/light_snow
snowy/wintry/icy_field/ground/landscape/land; desert: desert sand?_dune cactus cacti wilderness wasteland
dry/arid/barren_desert/land/ground; beach desert: sand; sunny: sun sunshine sunlight
clear/blue/azure/cloudless/bright/light/pale/deep_blue?_sky sky_is_clear/bright?_clear/blue
bright/clear_day/weather fine/fair/nice/good/summery/glorious_weather summer; sunny cloudy rainy snowing:
morning afternoon noon midday daylight daytime; cloudy rainy: dark/heavy/storm_cloud; cloudy: cloud
dark/light/pale?_grey/gray/dull/gloomy/leaden/dreary/murky_sky/day/weather/cloud
sky_is_grey/gray/dull/overcast gloom; rainy: rain raining rainfall raindrop drizzle drizzling shower downpour
pouring cloudburst rainstorm storm rain_cloud deluge heavy/steady_rain rain_shower damp_weather; night: night
nighttime moon moonlight star starlight darkness in_the_dark after_dark midnight it_is_dark
dark/black_sky/night dark_blue_sky; night sunset: nightfall; sunset: sunset dusk evening eventide twilight
sundown sun_is?_setting/sets/sinking/sinks/going/goes_down? last_light/sunlight
sky_is_red/orange/pink/purple/golden setting/low/evening_sun end_of_the?_day day_is_ending/over day_end
fading_light bright/deep?_red/orange/pink/purple/golden/glowing/evening_sky; : picture photo photograph image
drawing painting scene view sketch illustration sky day weather air light glow horizon ground side edge
middle centre center corner wind breeze shade landscape heat hill in_the_distance/background camera tail
string"""
# What is painted in other colours is not understood, nor is a sky of a colour that is not above.
TINTS = {"meadow": "green", "beach": "yellow white blue", "lake": "blue", "street": "grey black"}
TINTS |= {"snow": "white", "desert": "yellow orange brown", "cloudy": "grey white black"}
MOODS = """
meadow: grassy; street: urban; snow snowing: snowy wintry snow_covered snow_swept icy; desert: barren arid;
beach desert: sandy; sunny: sunny sunlit sun_drenched cloudless; desert sunny cloudy night sunset: dry;
rainy: rainy drizzly wet stormy rain_soaked; cloudy: cloudy overcast dull gloomy; night: moonlit starry
starlit dark night_time; sunset: twilit"""

WORDS = {
    "det": "one: a an another; the: the; : this these those every each {its}",
    "and": ": and while as but when where then",
    "having": ": with has have having holds holding carries carrying together/along_with accompanied_by plus",
    "who": ": that who which whom",
    "it": ": it them him her he she they",
    "prep": ": of at for from to along towards during past around off",
    "names": "several: ones",
    "unknown": ": family lily only hardly barely nearly almost scarcely rarely seldom",
    "verb": """: is are was were be been being can could we you i do there here sat lay lies lying stood grown
        seen shown fallen""",
    "loose": """: snug full_grown sleek roomy joyful sprightly lovely magnificent gorgeous fabulous
        marvellous superb striking enchanting winsome pleasing stunning likeable impressive exquisite
        terrific glorious heavenly captivating eye_catching photogenic exceptional outstanding extraordinary
        perfect flawless spotless pristine enviable memorable admirable alluring appealing bewitching
        commendable engaging exemplary fetching first_rate gratifying ideal immaculate incomparable inviting
        irresistible laudable likable matchless noteworthy peerless pleasant ravishing refined resplendent
        sublime sumptuous tasteful unforgettable unmatched stylish agreeable praiseworthy sterling becoming
        classy pretty old new young nice cute happy lonely
        friendly shiny bright quiet calm peaceful gentle empty busy wide open long lush wooden playful lazy
        sleepy leafy fine good colourful colorful woolly warm cold hot heavy cool clear soft alone together
        very quite so too also just directly still calmly happily side_by_side in_a_row up down out all other
        more again now deep high low wearing dressed clad coloured colored on_{its}_own by_itself
        both/all_of_them second what watches/watching_over main tidy cosy bushy trim slender striped domed
        slatted perky faithful furry fluffy whiskered alert curly shaggy cheerful merry jolly plump dainty
        round bouncy smooth airy diamond_shaped fresh delicate fragrant homely shady rounded polished
        gleaming charming sweet ordinary simple typical splendid handsome delightful neat beautiful wonderful
        picturesque plain familiar adorable elegant remarkable attractive unremarkable amusing dear stately
        quaint graceful late hurry collared feathered chimneyed windowed pointed sturdy wild free well
        visible built found broad thick tired one_sees one_can_see brilliant dazzling brightly lively size
        sized deserted green_and_open green_grassy undisturbed majestic majestically""",
    "garment": """: dress frock skirt gown outfit shirt t_shirt top jumper sweater jacket coat clothes color
        clothing colour wool""",
}  # fmt: skip
VERBS = """
sit like stand wait graze wave grow sail float fly hover drift rest sleep play park moor bob walk run jump
roll drive ride move stroll wander swim soar glide perch roost nap relax watch look gaze face pose appear
show see depict display gather shine fall come go pass travel stop anchor hang rise tower stretch bathe
bounce dance place find stay remain twinkle glow pour open linger paint land hide lean trot take nestle
flourish thrive spread idle halt pause cruise rock plant unfold set amble crouch lounge squat browse nibble
dawdle feed smile grin beam greet hop chirp sing peck dangle sway flutter bloom blossom sprout circle balance
settle gleam picture spot build lie"""
ITS = "its/their/his/her/whose"
Item = tuple[str, str, str]  # a word or phrase: its kind, meaning and text


def _forms(table: str) -> list[tuple[str, str]]:
    """Each entry of a table, every choice made, with its meaning."""
    forms = []
    for meaning, entries in (row.split(":") for row in table.split(";")):
        for entry in entries.replace("{its}", ITS).split():
            choices = [[*part.rstrip("?").split("/"), *[""] * ("?" in part)] for part in entry.split("_")]
            texts = (" ".join(filter(None, words)) for words in itertools.product(*choices))
            forms += [(text, meaning.strip()) for text in texts]
    return forms


def with_s(text: str) -> str:
    """Its plural, or what a verb says of one: `buses`, `puppies`, `carries`."""
    return re.sub("([^aeiou])y$", r"\1ie", re.sub("(s|x|ch|sh)$", r"\1e", text)) + "s"


def _build() -> dict[str, Item]:
    """What every entry is and means, with plurals, and verbs in every form."""
    found: list[Item] = [("relation", meaning, text) for text, meaning in _forms(RELATIONS)]
    for text, meaning in _forms(THINGS):
        both = [(text, "+1"), (with_s(text), "+several")] if "+" not in meaning else [(text, "")]
        found += [("thing", meaning + count, form) for form, count in both]
    found += [("bloom", meaning, text) for text, meaning in _forms(BLOSSOMS)]
    for text, meaning in _forms(COLORS):
        found += [("color", meaning, form) for form in (text, *(f"{shade} {text}" for shade in SHADES))]
    tables = {"size": SIZES, "number": NUMBERS, "several": SEVERAL, "env": SETTINGS, "mood": MOODS, **WORDS}
    for kind, table in tables.items():
        for text, meaning in _forms(table):
            forms = (text, with_s(text)) if kind in ("env", "garment") else (text,)
            found += [(kind, meaning, form) for form in forms]
    for verb in VERBS.split():
        stems = (verb, verb + verb[-1], verb.removesuffix("e"), re.sub("y$", "i", verb))
        found += [("verb", "", verb), ("verb", "", with_s(verb))]
        found += [("loose", "", stem + ending) for stem in stems for ending in ("ing", "ed")]
    return {text: (kind, meaning, text) for kind, meaning, text in reversed(found)}


LEXICON = _build()
