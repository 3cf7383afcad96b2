# SPDX-License-Identifier: Apache-2.0
"""The recount itself against figures worked out by hand: an oracle that agrees with everything would prove nothing."""

import os
import sys
import tempfile
import unittest

import mapping
import recount
import scope
import wire


def nomenclature():
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "hs2022.csv"), "w", encoding="utf-8") as out:
        out.write(
            "code,digits,section,std_unit,description\n870380,6,17,u,cars\n310210,6,6,kg,urea\n220300,6,4,l,beer\n"
        )
    with open(os.path.join(folder, "units.csv"), "w", encoding="utf-8") as out:
        out.write(
            "rec20,std_unit,comtrade_code,kind,factor_to_std,note\nKGM,kg,8,mass,1,\nH87,u,5,count,1,\n"
            "C62,u,5,count,1,\nLTR,l,7,volume,1,\nHLT,l,7,volume,100,\nMLT,l,7,volume,0.001,\n"
        )
    return recount.Nomenclature(folder)


def import_of(hs, mass=1000, value=10, origin="KZ", **more):
    return {"hs_code": hs, "net_mass_mg": mass, "statistical_value_minor": value, "origin_country": origin, **more}


def declaration(name="A", version=1, function=wire.ORIGINAL, date=20250731, items=(), **more):
    return {
        "declaration_id": name,
        "version": version,
        "function": function,
        "direction": wire.IMPORT,
        "office_code": "0215",
        "reference_date": date,
        "border_transport_mode": 2,
        "items": list(items),
        **more,
    }


def published(*declarations):
    return recount.expected(declarations, nomenclature(), "CN", "CNY")


class Recount(unittest.TestCase):
    def test_half_grams_round_away_from_zero_once_for_the_sum(self):
        out = published(declaration(items=[import_of("310210", 250), import_of("310210", 250)]))
        self.assertEqual(out["flow|DAY|20250731|20250731|flow=M"]["net_mass_g"], 1)
        self.assertEqual(
            (recount.half_away(-3, 2), recount.half_away(3, 2), recount.half_away(499, 1000)), (-2, 2, 0)
        )

    def test_a_declaration_counts_once_per_cell(self):
        out = published(declaration(items=[import_of("310210"), import_of("310290"), import_of("870380")]))
        self.assertEqual(out["heading|MONTH|20250701|20250731|hs4=3102|flow=M"]["declarations"], 1)
        self.assertEqual(out["heading|MONTH|20250701|20250731|hs4=3102|flow=M"]["items"], 2)

    def test_every_field_of_a_commodity_record(self):
        out = published(
            declaration(
                items=[
                    import_of(
                        "87038011",
                        1_500_499,
                        77,
                        supp_quantity_micro=2_000_000,
                        supp_unit="C62",
                        customs_value_minor=70,
                        gross_mass_mg=2_000_500,
                        package_count=3,
                        mass_estimated=1,
                    )
                ]
            )
        )
        self.assertEqual(
            out["commodity|MONTH|20250701|20250731|hs6=870380|partner=KZ|flow=M"],
            {
                "view": "commodity",
                "frequency": 3,
                "period_from": 20250701,
                "period_to": 20250731,
                "reporter": "CN",
                "flow": 1,
                "partner": "KZ",
                "partner_basis": 1,
                "commodity_code": "870380",
                "classification": "H6",
                "value_minor": 77,
                "currency": "CNY",
                "value_basis": 1,
                "customs_value_minor": 70,
                "net_mass_g": 1500,
                "gross_mass_g": 2001,
                "supp_quantity_micro": 2_000_000,
                "supp_unit": "H87",
                "declarations": 1,
                "items": 1,
                "packages": 3,
                "estimated_net_mass_g": 1500,
            },
        )

    def test_units_convert_to_the_standard_unit_or_stay_out(self):
        known = nomenclature()

        def converted(quantity, unit, standard="l"):
            return known.convert({"supp_quantity_micro": quantity, "supp_unit": unit}, standard)

        self.assertEqual(converted(1_500_000, "HLT"), 150_000_000)
        self.assertEqual((converted(1500, "MLT"), converted(1499, "MLT")), (2, 1))
        self.assertEqual((converted(5, "H87"), converted(5, "KGM", "kg"), converted(5, "XXX")), (0, 0, 0))

    def test_exports_go_to_their_destination_fob(self):
        item = import_of("310210", destination_country="DE")
        out = published(declaration(direction=wire.EXPORT, items=[item]))
        found = out["partner|MONTH|20250701|20250731|partner=DE|flow=X|mode=2"]
        self.assertEqual((found["partner_basis"], found["value_basis"], found["flow"]), (2, 2, 2))

    def test_the_year_before_stands_beside_each_period_and_the_29th_beside_its_month_alone(self):
        of = [(20240228, 1000), (20240229, 500), (20250228, 3000), (20250401, 700)]
        heads = [declaration(str(day), date=day, items=[import_of("310210", 4000, value)]) for day, value in of]
        out = recount.expected(heads, nomenclature(), "CN", "CNY", publish={"flow": ("quarter", "year", "ytd")})
        day, month = out["flow|DAY|20250228|20250228|flow=M"], out["flow|MONTH|20250201|20250228|flow=M"]
        self.assertEqual((day["base_value_minor"], day["yoy_value_ppm"], day["yoy_net_mass_ppm"]), (1000, 2000000, 0))
        self.assertEqual((month["base_value_minor"], month["base_net_mass_g"], month["yoy_value_ppm"]), (1500, 8, 1000000))
        self.assertNotIn("base_value_minor", out["flow|DAY|20250401|20250401|flow=M"])
        self.assertNotIn("yoy_value_ppm", out["flow|MONTH|20250401|20250430|flow=M"])
        to_date = {key.split("|")[3]: one for key, one in out.items() if key.startswith("flow|YEAR_TO_DATE|2025")}
        self.assertEqual({end: (one["value_minor"], one["base_value_minor"]) for end, one in to_date.items()},
                         {"20250228": (3000, 1500), "20250430": (3700, 1500)})  # fmt: skip
        self.assertEqual(out["flow|QUARTER|20250101|20250331|flow=M"]["declarations"], 1)
        self.assertEqual(out["flow|YEAR|20250101|20251231|flow=M"]["yoy_value_ppm"], 1466667)

    def test_a_declaration_counts_in_its_hour_of_utc_as_long_as_that_is_kept(self):
        first = 20271 * 24  # 2025-07-02T00Z, eight in the morning
        heads = [declaration(str(hour), accepted_at_ms=(first + hour) * 3600000 + 3599999, items=[import_of("310210", value=10 + hour)])
                 for hour in (0, 15, 16)]  # fmt: skip
        views = {"hours": "office,flow@hour"}
        out = recount.expected(heads, nomenclature(), "CN", "CNY", views)
        self.assertEqual(len(out), 6, "of M and of T, and no month")
        found = out["hours|HOUR|20250702T16Z|20250702T16Z|office=0215|flow=M"]
        self.assertEqual((found["period_from"], found["period_to"], found["frequency"]), (20250703, 20250703, 1))
        self.assertEqual((found["hour_from_ms"], found["hour_to_ms"]), ((first + 16) * 3600000, (first + 17) * 3600000))
        self.assertEqual((found["value_minor"], found["declarations"]), (26, 1))
        self.assertNotIn("base_value_minor", found)
        hours_from = recount.kept_from((first + 16) * 3600000 + 44 * 86400000)  # 3 July in the zone is the 45th day before it
        self.assertEqual(hours_from, first + 16)
        kept = recount.expected(heads, nomenclature(), "CN", "CNY", views, hours_from=hours_from)
        self.assertEqual(sorted(kept), [key for key in sorted(out) if "T16Z" in key])

    def test_a_group_has_in_both_years_whom_it_has_on_the_last_day(self):
        rows = [("BLOC", "KZ", "", ""), ("BLOC", "BY", "2025-07-04", ""), ("BLOC", "AF", "", "2025-09-01"), ("BLOC", "CN", "", "")]
        lists = nomenclature()
        lists.groups = recount.Groups([dict(zip(("group", "alpha2", "from", "to_exclusive"), row, strict=True)) for row in rows])
        of = [("KZ", 20240710, 1), ("BY", 20240710, 20), ("AF", 20240710, 300), ("KZ", 20250610, 4000), ("BY", 20250610, 50000), ("AF", 20250710, 600000)]
        heads = [declaration(str(i), date=date, items=[import_of("310210", value=value, origin=partner)]) for i, (partner, date, value) in enumerate(of)]
        views, publish = {"bloc": "partner_group,flow@day"}, {"bloc": ("quarter", "ytd")}
        out = recount.expected(heads, lists, "CN", "CNY", views, publish)
        value = {key: (one["value_minor"], one.get("base_value_minor")) for key, one in out.items() if key.endswith("flow=M")}
        self.assertEqual(value["bloc|MONTH|20240701|20240731|partner_group=BLOC|flow=M"], (301, None))
        self.assertEqual(value["bloc|MONTH|20250601|20250630|partner_group=BLOC|flow=M"], (4000, None), "Belarus is no member yet")
        self.assertEqual(value["bloc|MONTH|20250701|20250731|partner_group=BLOC|flow=M"], (600000, 321), "and is one in both years")
        self.assertEqual(value["bloc|QUARTER|20250401|20250630|partner_group=BLOC|flow=M"], (4000, None))
        self.assertEqual(value["bloc|YEAR_TO_DATE|20250101|20250731|partner_group=BLOC|flow=M"], (654000, 321))
        self.assertNotIn("bloc|YEAR_TO_DATE|20250101|20250831|partner_group=BLOC|flow=M", value, "nothing in its last month")
        row = out["bloc|DAY|20250710|20250710|partner_group=BLOC|flow=M"]
        self.assertNotIn("declarations", row)
        self.assertEqual((row["partner_group"], row["partner_basis"], row["base_value_minor"]), ("BLOC", 1, 321))
        self.assertNotIn("partner_basis", out["bloc|DAY|20250710|20250710|partner_group=BLOC|flow=T"])

    def test_trade_classes_are_of_the_mode_of_the_declaration(self):
        heads = [declaration("A", trade_mode="9610", items=[import_of("310210", value=1)]),
                 declaration("B", trade_mode="1210", items=[import_of("310210", value=20)]),
                 declaration("C", items=[import_of("310210", value=300)])]  # fmt: skip
        out = recount.expected(heads, nomenclature(), "CN", "CNY", {"sales": "trade_class,flow@month"})
        sales = out["sales|MONTH|20250701|20250731|trade_class=ECOMMERCE|flow=M"]
        self.assertEqual((sales["value_minor"], sales["declarations"], sales["trade_mode"]), (21, 2, "ECOMMERCE"))
        self.assertEqual(out["sales|MONTH|20250701|20250731|trade_class=OTHER|flow=M"]["value_minor"], 300)

    def test_growth_across_editions_is_of_goods_that_came_whole(self):
        pairs = [("010121", "010121"), ("030910", "030510"), ("030792", "030792"), ("030990", "030792"), ("850001", "850010"), ("850001", "850020")]
        lists = nomenclature()
        lists.editions = recount.Editions([{"hs2022": new, "hs2017": old} for new, old in pairs])
        old = [("010121", 1), ("030510", 20), ("030792", 300), ("850010", 4000), ("850020", 50000), ("999998", 600000)]
        new = ["010121", "030910", "030792", "030990", "850001", "999998"]
        heads = [declaration(code, date=20210305, items=[import_of(code, value=value)]) for code, value in old]
        heads += [declaration("N" + code, date=20220305, items=[import_of(code, value=1)]) for code in new]
        heads += [declaration("L", date=20230305, items=[import_of("030910", value=2)])]
        views = {"goods": "hs6,flow@month", "heads": "hs4,flow@day", "bloc": "hs6,partner_group,flow@month"}
        lists.groups = recount.Groups([{"group": "BLOC", "alpha2": "KZ", "from": "", "to_exclusive": ""}])
        out = recount.expected(heads, lists, "CN", "CNY", views, {"goods": ("ytd",)})
        base = {key: one.get("base_value_minor") for key, one in out.items() if key.endswith("flow=M")}
        for name in ("goods|MONTH|20220301|20220331|hs6=%s|flow=M", "goods|YEAR_TO_DATE|20220101|20220331|hs6=%s|flow=M",
                     "bloc|MONTH|20220301|20220331|hs6=%s|partner_group=BLOC|flow=M"):  # fmt: skip
            self.assertEqual([base[name % code] for code in new], [1, 20, None, None, 54000, 600000], name)
        self.assertEqual([base["heads|DAY|20220305|20220305|hs4=%s|flow=M" % code] for code in ("0101", "0309", "0307", "8500")], [1, None, None, 54000])
        self.assertEqual(base["goods|MONTH|20230301|20230331|hs6=030910|flow=M"], 1, "one edition: digits are compared")

    def test_codes_are_escaped_in_keys(self):
        self.assertIn(
            "office|DAY|20250731|20250731|office=a%20%7C%25%3D|border_office=|zone=|flow=M|mode=2",
            published(declaration(office_code="a |%=", items=[import_of("310210")])),
        )

    def test_the_newest_accepted_version_stands_whatever_the_order(self):
        ledger = recount.Ledger(scope.Scope())
        for head, rejected in (
            (declaration(version=3, function=wire.REPLACE), True),
            (declaration(version=2), False),
            (declaration(), False),
            (declaration(version=2), False),
            (declaration(version=2, date=20250730), False),
            (None, True),
        ):
            ledger.take(head, rejected)
        self.assertEqual(ledger.verdicts, {"counted": 1, "duplicate": 1, "stale": 1, "rejected": 3, "not_counted": 0})
        ledger.take(declaration(version=2, function=wire.CANCEL), False)
        self.assertEqual(ledger.standing(), [])
        ledger.take(declaration(version=3), False)
        self.assertEqual(len(ledger.standing()), 1)

    def test_a_reader_ignores_what_is_not_newer_and_reports_changes_without_a_new_as_of(self):
        reader = recount.Consumer()
        reader.take("a", 0, 5, {"items": 1})
        reader.take("a", 0, 5, {"items": 1})
        reader.take("#claim|1", 0, 9, {"items": 9})
        self.assertEqual((reader.records(), reader.broken, reader.ignored), ({"a": {"items": 1}}, [], 1))
        reader.take("a", 0, 4, {"items": 2})
        reader.take("a", 1, 6, {"value_minor": 2})
        self.assertEqual((reader.records(), len(reader.broken)), ({}, 2))

    def test_any_difference_is_told(self):
        want = published(declaration(items=[import_of("870380")]))
        self.assertEqual(recount.compare(want, dict(want)), [])
        for key, fields in want.items():
            self.assertEqual(len(recount.compare(want, {k: f for k, f in want.items() if k != key})), 1)
            for name in fields:
                changed = {**want, key: {k: v for k, v in fields.items() if k != name}}
                self.assertIn(name, recount.compare(want, changed)[0])
        self.assertEqual(len(recount.compare({}, want, limit=99)), len(want))


class Maps(unittest.TestCase):
    def test_decimals_are_exact_and_round_half_away_from_zero(self):
        for text, digits, want in (
            ("20.7", 6, 20_700_000),
            ("0.5", 0, 1),
            ("-0.5", 0, -1),
            ("0.4999", 0, 0),
            (".25", 1, 3),
            ("372254.4", 0, 372254),
            ("108", 6, 108_000_000),
            ("0.0000005", 6, 1),
        ):
            self.assertEqual(mapping.scaled(text, digits), want, text)
        for text in ("1e5", "", "abc", "1.2.3"):
            self.assertRaises(ValueError, mapping.scaled, text, 2)

    def test_midnight_in_seoul(self):
        self.assertEqual(mapping.milliseconds("2020-01-01", "Asia/Seoul"), 1577804400000)


class Wire(unittest.TestCase):
    def test_what_is_written_reads_back(self):
        head = declaration(
            items=[import_of("310210", 1 << 62, -5, document_classes=["a", "b"])], buyer_hash=(1 << 64) - 1
        )
        self.assertEqual(wire.decode(wire.encode(head)), head)

    def test_malformed_bytes_are_refused(self):
        for data in (b"\x08", b"\x08" + b"\x80" * 10 + b"\x01", b"\x0a\x05a", b"\x0b", b"\x00\x01", b"\x09\x01"):
            self.assertRaises(wire.Malformed, wire.decode, data)


if __name__ == "__main__":
    sys.exit(unittest.main())
