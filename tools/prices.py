"""Read AWS's Price List into the rows of src/cityline/deploy/prices.toml.

    python tools/prices.py [--service AmazonS3] [--address URL] [--accept]

Shows what would change; only with --accept, after somebody has read that, are the rows written. A
row without `operation` is not looked for, and one that the list does not have stays as it is.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from cityline.adapters.aws.prices import ADDRESS, Listed, PriceList, Wanted
from cityline.deploy.prices import Price, price
from cityline.errors import CitylineError

FILE = Path(__file__).resolve().parents[1] / "src" / "cityline" / "deploy" / "prices.toml"
MARK = "# --- read from the Price List by tools/prices.py; a row here wins over one above ---\n"
_UNITS = {"1,000 requests": 1000, "10,000 requests": 10_000, "100,000 events": 100_000}


def wanted(text: str, service: str = "") -> list[Wanted]:
    """What to look for: the rows that say their operation, in each of their regions."""
    rows = tomllib.loads(text.partition(MARK)[0])["price"]
    return [
        Wanted(row["item"], region, row["service"], row["usagetype"], row["operation"],
               _UNITS.get(row["unit"], 1))
        for row in rows
        if "operation" in row and service in ("", row["service"])
        for region in row["tiers"]
    ]  # fmt: skip


def told(found: Listed, before: Price) -> str:
    """One line of the difference."""
    same = "=" if found.tiers == before.tiers else f"{_shown(before.tiers)} →"
    return (
        f"{found.wanted.item:28} {found.wanted.region:14} {same} {_shown(found.tiers)} per "
        f"{before.unit}  ({before.date} {before.basis} → {found.published})"
    )


def written(text: str, found: list[Listed]) -> str:
    """The file with what was found below the mark; what was read before and not now stays."""
    above, _, below = text.partition(MARK)
    kept = {(r["item"], region): r for r in tomllib.loads(below).get("price", [])
            for region in r["tiers"]}  # fmt: skip
    units = {r["item"]: r["unit"] for r in tomllib.loads(above)["price"]}
    blocks = {key: _kept(key[1], row) for key, row in kept.items()}
    for one in found:
        blocks[one.wanted.item, one.wanted.region] = _block(one, units[one.wanted.item])
    if not blocks:
        return text
    return above.rstrip("\n") + "\n\n" + MARK + "".join(blocks[k] for k in sorted(blocks))


def _block(one: Listed, unit: str) -> str:
    w = one.wanted
    return (
        f'\n[[price]]\nitem = "{w.item}"\nservice = "{w.service}"\nusagetype = "{w.usagetype}"\n'
        f'operation = "{w.operation}"\nunit = "{unit}"\n'
        f"tiers.{w.region} = {_shown(one.tiers)}\ndate = {one.published}\n"
        f'basis = "price list"\nsource = "{one.path}"\nsha256 = "{one.sha256}"\n'
    )


def _kept(region: str, row: dict[str, object]) -> str:
    tiers = tuple((float(a), float(b)) for a, b in row["tiers"][region])  # type: ignore[index]
    texts = "".join(
        f'{k} = "{row[k]}"\n' for k in ("item", "service", "usagetype", "operation", "unit")
    )
    return (
        f"\n[[price]]\n{texts}tiers.{region} = {_shown(tiers)}\ndate = {row['date']}\n"
        f'basis = "price list"\nsource = "{row["source"]}"\nsha256 = "{row["sha256"]}"\n'
    )


def _shown(tiers: tuple[tuple[float, float], ...]) -> str:
    return "[" + ", ".join(f"[{up_to:.15g}, {usd:.15g}]" for up_to, usd in tiers) + "]"


def main(arguments: list[str]) -> int:
    """Look, show and, when told so, write. Returns 1 when something was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--service", default="", help="only this service's; EC2's file is very large"
    )
    parser.add_argument("--address", default=ADDRESS)
    parser.add_argument("--accept", action="store_true", help="write the rows")
    parser.add_argument("--file", type=Path, default=FILE)
    given = parser.parse_args(arguments)
    text = given.file.read_text("utf-8")
    prices, found, missing = PriceList(given.address), [], 0
    for want in wanted(text, given.service):
        try:
            one = prices.find(want)
        except CitylineError as error:
            print(f"error: {error}", file=sys.stderr)
            return int(error.exit)
        if one is None:
            missing += 1
            named = f"{want.usagetype}, {want.operation or 'no operation'}"
            print(f"{want.item:28} {want.region:14} not in the list: {named}")
            continue
        found.append(one)
        print(told(one, price(want.item, want.region)))
    print(f"{len(found)} found, {missing} not in the list")
    if given.accept:
        given.file.write_text(written(text, found), "utf-8")
        print(f"{given.file} written")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
