# SPDX-License-Identifier: Apache-2.0
"""What counts, and in which flow: the rules of STA once more, written apart from the processor, for the recounts."""

import csv
import os

import wire

CN, EU, EAEU = 1, 2, 3
SCHEMES = ("", "CN", "EU", "EAEU", "US", "KR", "OTHER")
ACCEPTED, RELEASED, REFUSED = 1, 2, 3


def implied(row):
    """The place of a regime whose list has no column `statistics`, or nothing in it."""
    note, comtrade = row.get("note") or "", row.get("comtrade_customs") or ""
    if row["flow"] == "T":
        return "transit"
    if row["general_trade"] == "0" or "excluded" in note:
        return "outside" if comtrade in ("C12", "C14") else "temporary"
    if "flow RM" in note or comtrade == "C02":
        return "reimport"
    if "flow RX" in note or (row["scheme"] in ("EU", "EAEU") and row["code"] == "31"):
        return "reexport"
    if row["scheme"] != "CN" and comtrade in ("C04", "C05"):
        return "warehouse"
    return "counted"


class Scope:
    """By the defaults of the configuration, or what is given."""

    def __init__(self, *folders, special=False, status="by-scheme", returns=True, banknotes=True):
        self.special, self.status, self.returns, self.banknotes = special, status, returns, banknotes
        self.place = {}
        for folder in folders:
            path = os.path.join(folder, "regimes.csv")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as source:
                    for row in csv.DictReader(source):
                        self.place[row["scheme"], row["code"]] = row.get("statistics") or implied(row)
                break

    def has_status(self, head):
        status, scheme = head.get("status", 0), head.get("scheme", 0)
        release = self.status == "released" or (self.status == "by-scheme" and scheme == CN)
        return not (status == REFUSED or (status == ACCEPTED and release))

    def flow(self, head, item):
        """M, X, RM or RX; None: the item is outside the statistics."""
        scheme = head.get("scheme", 0)
        is_import = head["direction"] == wire.IMPORT
        code = head.get("trade_mode", "") if scheme == CN else item.get("procedure", "")[:2]
        known = self.place.get((SCHEMES[scheme], code))
        place = known or ("reexport" if scheme in (EU, EAEU) and code == "31" else "counted")
        left_out = {"temporary", "transit", "outside"} | ({"warehouse"} if self.special else set())
        is_return = place == "returned" or str(head.get("nature_of_transaction", 0))[0] == "2" and head["nature_of_transaction"] < 30
        money = {"710820", "711890"} | (set() if self.banknotes else {"490700"})
        if not self.has_status(head) or place in left_out or item["hs_code"][:6] in money or (is_return and not self.returns):
            return None
        if is_import:
            own = item.get("origin_country", "") == head.get("reporter", "") != ""
            return "RM" if own or place in ("reimport", "returned") else "M"
        return "RX" if place in ("reexport", "returned") else "X"

    def is_outside(self, head):
        """All items are: the verdict is not_counted."""
        items = head.get("items", ())
        return head["function"] != wire.CANCEL and len(items) > 0 and all(self.flow(head, item) is None for item in items)
