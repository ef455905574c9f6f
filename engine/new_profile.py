"""A starting profile for another area, made from the second shipped one, with its comments (R70)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from models.profile import load_profile
from models.profile_parts import Mode
from models.settings import HOUSE
from rules.errors import Refused

_MODEL = HOUSE / "profiles" / "front-door.toml"
_HEAD = """\
# The starting profile of {area}: right by its form, and not yet true. docs/your-area.md says which of these settings a
# partnership decides at which step of building its MASH.
#
# Every address, telephone number and link is made up, from ranges that are reserved for examples. An address is an
"""
_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
#: What a hub says of itself that works behind the duty teams, in place of what a front door says.
_BACK_OFFICE = """\
[wording]
hub_name = "{area} MASH"
out_of_hours = "The MASH is closed. This referral is in the queue, nobody is watching it now, and the agencies are asked when the office opens."
not_for_mash = "The MASH asks agencies where it is not clear how serious a concern is. This referral goes back to you without asking them: please follow the existing safeguarding procedure."
will_do = [
    "Find out from the agencies, within the time that its urgency gives, how serious a concern is that is not clear.",
    "Tell the duty team the outcome, and why.",
]
wont_do = [
    "Take referrals from agencies or the public: they go to the duty teams, as before.",
    "Take on what is clear already: the existing safeguarding arrangements are for that.",
]

"""  # noqa: E501 -- one line of a profile each
#: What the desks of a front door are called in a hub that works behind them.
_DUTY_TEAMS = (
    ("Exampleshire Front Door, children's desk", "Children's duty team"),
    ("Exampleshire Front Door, adults' desk", "Adults' duty team"),
    ("Children's desk", "Children's duty team"), ("Adults' desk", "Adults' duty team"),
    ("CHILDREN_DESK", "CHILDREN_DUTY"), ("ADULTS_DESK", "ADULTS_DUTY"), ("desk@", "duty@"),
    ("desk-manager@", "duty-manager@"), ('name = "Front Door ', 'name = "MASH '), ("[Front Door]", "[MASH]"),
    ("@front-door.", "@mash."), ("The Front Door is closed now and nobody", "The MASH is closed now and nobody"),
)  # fmt: skip


def write(name: str, area: str, mode: Mode, folder: Path) -> Path:
    """Write `name`.toml into a folder, and the code sets beside it when there are none yet; gives the profile's file.

    Raises Refused for a name that is none, an area of more than one line, or a file that is there already.
    """
    if not _NAME.fullmatch(name):
        raise Refused(f"{name}: a name is up to 20 small letters, digits and hyphens in between, such as wessex")
    if not area.isprintable() or not 0 < len(area.strip()) <= 60 or set(area) & set('"\\'):
        raise Refused("--area: a name on one line, of at most 60 letters, without quotation marks")
    file, sets = folder / f"{name}.toml", folder / "codes.toml"
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text(name, area.strip(), mode))
        if not sets.exists():
            shutil.copyfile(_MODEL.with_name("codes.toml"), sets)
    except FileExistsError:
        raise Refused(f"{file}: is there already; nothing was changed") from None
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None
    load_profile(file)
    return file


def text(name: str, area: str, mode: Mode) -> str:
    """The starting profile itself."""
    model = _MODEL.read_text(encoding="utf-8")
    made = _HEAD + model[model.index("# e-mail address, or env:NAME") :]
    made = made.replace('mode = "FRONT_DOOR"', f'mode = "{mode}"')
    if mode is Mode.BACK_OFFICE:
        begins, ends = made.index("[wording]"), made.index("[contacts.team]")
        made = made[:begins] + _BACK_OFFICE + made[ends:]
        for desk, team in _DUTY_TEAMS:
            made = made.replace(desk, team)
    code = name.upper().replace("-", "_")
    for example, own in (("EXAMPLESHIRE", code), ("exampleshire", name), ("Exampleshire", area), ("{area}", area)):
        made = made.replace(example, own)
    return made
