"""What somebody is called for short: whoever is Robert on record may be Bob in an agency's words (R29).

The table is the hub's own, of names that are usual in England. Will and May are left out, since they are words that
stand before any family name that is a word too: "how will young people travel".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

#: Whole names and their short forms, as `rules.spelling.words` spells them.
_SHORT: Mapping[str, str] = {
    "abigail": "abi abbie abby gail", "adam": "ad", "agnes": "aggie", "aidan": "aid", "albert": "al bert bertie",
    "alexander": "al alec alex lex sandy xander", "alexandra": "alex lexi sandra sandy", "alfred": "alf alfie fred",
    "alice": "ali allie", "alison": "ali allie", "amanda": "mandy", "amelia": "amy millie milly", "andrea": "andie",
    "andrew": "andie andy drew", "angela": "ange angie", "anne": "annie ann", "anthony": "ant tony",
    "antony": "ant tony", "archibald": "archie", "arthur": "art artie", "barbara": "babs barb", "barnaby": "barney",
    "bartholomew": "bart", "beatrice": "bea beattie trixie", "benedict": "ben", "benjamin": "ben benji benny",
    "bernadette": "bernie", "bernard": "bernie", "bethany": "beth", "bradley": "brad", "bridget": "biddy bridie",
    "cameron": "cam", "caroline": "caro carrie", "catherine": "cath cathy cat kate katie kathy kitty",
    "charles": "charlie chas chaz chuck", "charlotte": "charlie lottie lotty", "christina": "chris chrissie tina",
    "christine": "chris chrissie tina", "christopher": "chris kit topher", "clifford": "cliff", "constance": "connie",
    "cynthia": "cindy", "daniel": "dan danny", "danielle": "dani danni", "darren": "daz dazza", "david": "dave davy",
    "deborah": "deb debbie debs", "dennis": "den denny", "derek": "del", "desmond": "des", "diana": "di",
    "diane": "di", "dominic": "dom", "donald": "don donnie", "dorothy": "dolly dot dottie", "douglas": "doug dougie",
    "duncan": "dunc", "edith": "edie", "edmund": "ed eddie ned ted", "edward": "ed eddie ned ted teddy",
    "edwin": "ed eddie", "eleanor": "ella ellie nell nora",
    "elizabeth": "bess bessie beth betsy betty eliza elsie libby lilibet lisa lissie liz lizzie lizzy",
    "ellen": "ellie nell nellie", "emily": "em emmie millie", "emma": "em emmie", "ernest": "ernie", "eugene": "gene",
    "evelyn": "evie", "florence": "flo florrie flossie", "frances": "fran frankie", "francesca": "chess fran frankie",
    "francis": "frank frankie", "frederick": "fred freddie freddy", "gabriel": "gabe", "gareth": "gaz", "gary": "gaz",
    "gemma": "gem", "geoffrey": "geoff", "georgina": "georgie gina", "gerald": "gerry", "geraldine": "gerry",
    "gerard": "gerry", "gillian": "gill gilly jill", "graham": "gra", "gregory": "greg", "gwendoline": "gwen",
    "hannah": "han", "harold": "hal harry", "harriet": "hattie harri", "helen": "nell nellie", "henry": "hal harry",
    "herbert": "bert bertie herb", "howard": "howie", "hugh": "hughie", "isaac": "ike zac", "isabel": "bella izzy",
    "isabella": "bella izzy", "isobel": "izzy", "jacob": "jake", "jacqueline": "jackie jacqui",
    "james": "jamie jem jim jimmy", "jane": "janey jenny", "janet": "jan", "janice": "jan", "jason": "jase jay",
    "jeffrey": "jeff", "jennifer": "jen jenna jennie jenny", "jeremy": "jez jerry", "jessica": "jess jessie",
    "joanna": "jo", "joanne": "jo", "john": "jack johnny", "jonathan": "jon jonny jonty", "jordan": "jord",
    "joseph": "joe joey", "josephine": "jo josie", "joshua": "josh", "judith": "judy", "julian": "jules",
    "julie": "jules", "katharine": "kate kath kathy katie kitty", "katherine": "kate kath kathy katie kitty",
    "kathleen": "kath kathy", "kenneth": "ken kenny", "kevin": "kev", "kimberley": "kim", "laurence": "larry laurie",
    "lawrence": "larry laurie", "leonard": "len lenny leo", "leslie": "les", "lewis": "lew", "lillian": "lil lily",
    "louis": "lou", "louise": "lou lulu", "lucinda": "cindy lucy", "madeleine": "maddie maddy", "malcolm": "mal malc",
    "margaret": "daisy madge maggie marge margie meg megan peg peggy rita", "maria": "ria", "marilyn": "lyn",
    "martin": "marty", "mary": "molly polly", "matilda": "mattie tilda tilly", "matthew": "mat matt matty",
    "maureen": "mo", "maurice": "mo", "maxwell": "max", "melanie": "mel", "melissa": "mel lissa",
    "michael": "mick mickey micky mike mikey", "michelle": "chelle shell", "miriam": "mim", "mohamed": "mo",
    "mohammad": "mo", "mohammed": "mo", "muhammad": "mo", "natalie": "nat tally", "natasha": "nat tash tasha",
    "nathan": "nat nate", "nathaniel": "nat nate", "neville": "nev", "nicholas": "nick nicky nico",
    "nicola": "nic nicki nicky nikki", "nigel": "nige", "norman": "norm", "oliver": "ollie olly",
    "olivia": "liv livvy", "oscar": "ossie", "pamela": "pam", "patricia": "pat patsy patty tricia trish",
    "patrick": "paddy pat", "penelope": "pen penny", "percival": "percy", "peter": "pete", "philip": "phil pip",
    "philippa": "pip pippa", "phillip": "phil pip", "priscilla": "cilla", "rachel": "rach rae", "randolph": "randy",
    "raymond": "ray", "rebecca": "becca beck becky bex", "reginald": "reg reggie",
    "richard": "dick dickie rich richie rick ricky", "robert": "bert bob bobbie bobby rob robbie",
    "roderick": "rod roddy", "rodney": "rod roddy", "roger": "rodge", "roland": "rolly", "ronald": "ron ronnie",
    "rosalind": "ros roz", "rosemary": "rose rosie", "rupert": "rupe", "russell": "russ", "samantha": "sam sammie",
    "samuel": "sam sammy", "sandra": "sandie sandy", "sarah": "sadie sally", "sebastian": "seb", "sharon": "shaz",
    "shirley": "shirl", "sidney": "sid", "simon": "si", "sophia": "sophie", "stanley": "stan",
    "stephanie": "steph steff stevie", "stephen": "ste steve stevie", "steven": "ste steve stevie", "stewart": "stew",
    "stuart": "stew stu", "susan": "sue susie suzie suzy", "susannah": "sue susie suzie suzy",
    "suzanne": "sue suzie suzy", "sylvia": "sylvie", "tabitha": "tabby", "terence": "tel terry",
    "theodore": "ted teddy theo", "theresa": "terri tess tessa", "thomas": "tom tommy", "tiffany": "tiff",
    "timothy": "tim timmy", "tobias": "toby", "tomasz": "tom tomek", "tracey": "trace", "trevor": "trev",
    "valerie": "val", "vanessa": "nessa", "veronica": "ronnie", "victor": "vic", "victoria": "tori vic vicki vicky",
    "vincent": "vin vince vinnie", "violet": "vi", "virginia": "ginny", "vivian": "viv", "vivien": "viv",
    "walter": "wally walt", "wilfred": "wilf fred", "william": "bill billy liam willie willy",
    "winifred": "freda win winnie", "zachary": "zac zach zack zak",
}  # fmt: skip


def others(given: str) -> frozenset[str]:
    """What somebody of this given name is called besides, in short or in whole; empty for a name not in the table."""
    return frozenset(_OTHERS.get(given, ()))


def kin(name: str) -> str:
    """One name for all that lead to each other by short forms, so that Alex is looked for among both (R14)."""
    return _KIN.get(name, name)


def _kin() -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for whole, short in _SHORT.items():
        names = {whole, *short.split()}
        together = names.union(*(found.get(name, set()) for name in names))
        found |= dict.fromkeys(together, together)
    return {name: min(together) for name, together in found.items()}


def _forms() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for whole, short in _SHORT.items():
        forms = {whole, *short.split()}
        for each in forms:
            found[each] |= forms - {each}
    return dict(found)


_OTHERS = _forms()
_KIN = _kin()
