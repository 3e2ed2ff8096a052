#!/usr/bin/env python3
"""What the world sees: the pages made from the plans on offer, held against the plans, and what search engines are told.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import html.parser
import json
import unittest
import xml.etree.ElementTree

import harness
from management_test import ManagementCase, command

URL = "https://models.example"
EVIL = "<script>alert('x')</script>&\"</script>"


class Page(html.parser.HTMLParser):
    """A page's tags, its texts, and its JSON-LD."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.inside, self.json_ld = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        if self.inside and self.inside[-1] == "script":
            self.json_ld = json.loads(data)
        elif not (self.inside and self.inside[-1] == "style"):
            self.texts.append(data)

    def meta(self, name):
        found = [a["content"] for tag, a in self.tags if tag == "meta" and name in (a.get("name"), a.get("property"))]
        assert len(found) == 1, name
        return found[0]

    def links(self, rel):
        return [a for tag, a in self.tags if tag == "link" and a["rel"] == rel]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


class Shop(ManagementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.stop()
        cls.server = harness.Server(cls.home, "--workers", "0", "--public-url", URL)
        cls.plan("starter", "Starter", "19", trial_days=14, trial_credit="5",
                 allowances=[{"meter": "requests", "quantity": 20000, "hard": True}])
        cls.plan("yearly", EVIL, "1990.5", months=12, currency="EUR")

    @classmethod
    def plan(cls, code, name, fee, **more):
        prices = [{"meter": "input_tokens", "rating": {"tiers": [{"nano_per_million": 37_500_000}]}},
                  {"meter": "output_tokens", "rating": {"mode": "graduated", "tiers": [
                      {"up_to": 1000000, "nano_per_million": 2_000_000_000}, {"nano_per_million": 1_500_000_000}]}}]
        client = harness.Client(cls.server, cls.house)
        answer = client.call("POST", "/api/v1/plans", {"code": code, "name": name, "fee": fee, "prices": prices,
                                                       "credit_limit": "9"} | more)
        client.close()
        assert answer.status == 201, answer.text

    def put(self, code, status=200, **said):
        return self.call("PUT", f"/api/v1/offers/{code}", "/api/v1/offers/{id}", status, said, key=self.house).json

    def page(self, path="/pricing", status=200, **headers):
        return self.call("GET", path, path, status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def test_only_what_is_on_offer_is_shown_and_as_it_is(self):
        self.put("starter", position=1, summary="To begin with", name_zh="入门版", summary_zh="适合起步")
        page = Page(self.page().text)
        self.assertNotIn("yearly", page.text)
        self.assertIn("Starter 19.00 USD a month To begin with 14 days free, with 5.00 USD of credit", page.text)
        self.assertIn("up to 20,000 requests each period", page.text)
        self.assertIn("0.0375 USD per 1,000,000 input tokens", page.text)
        self.assertIn("up to 1,000,000: 2.00 USD per 1,000,000 output tokens beyond: 1.50 USD", page.text)
        chinese = Page(self.page("/zh/pricing").text)
        self.assertIn("入门版 19.00 USD / 月 适合起步 14 天免费试用", chinese.text)
        self.assertEqual([a["lang"] for tag, a in chinese.tags if tag == "html"], ["zh"])
        self.plan("starter", "Starter", "21")
        self.assertIn("21.00 USD", Page(self.page().text).text, "the newest version is sold")

    def test_engines_are_told(self):
        self.put("starter", position=1, summary="To begin with")
        page = Page(self.page().text)
        self.assertEqual(page.meta("og:url"), URL + "/pricing")
        self.assertEqual(page.links("canonical"), [{"rel": "canonical", "href": URL + "/pricing"}])
        self.assertEqual({(a["hreflang"], a["href"]) for a in page.links("alternate")},
                         {("en", URL + "/pricing"), ("zh", URL + "/zh/pricing"), ("x-default", URL + "/pricing")})
        self.assertTrue(page.meta("description") and page.meta("og:title") and page.meta("og:description"))
        self.assertEqual(page.json_ld["@type"], "Product")
        starter = [offer for offer in page.json_ld["offers"] if offer["sku"] == "starter"][0]
        self.assertEqual((starter["priceCurrency"], starter["url"]), ("USD", URL + "/pricing#starter"))
        self.assertIn(starter["price"], ("19.00", "21.00"))
        tree = xml.etree.ElementTree.fromstring(self.page("/sitemap.xml").text)
        places = [e.text for e in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
        self.assertLessEqual({URL + "/pricing", URL + "/zh/pricing", URL + "/docs"}, set(places))
        robots = self.page("/robots.txt").text
        self.assertIn(f"Sitemap: {URL}/sitemap.xml", robots)
        self.assertIn("Disallow: /\n", robots)

    def test_texts_never_become_markup(self):
        self.put("yearly", position=2, summary=EVIL, summary_zh=EVIL)
        for path in ["/pricing", "/zh/pricing"]:
            answer = self.page(path)
            page = Page(answer.text)
            self.assertEqual([a for tag, a in page.tags if tag == "script"], [{"type": "application/ld+json"}])
            self.assertIn(EVIL, page.text)
            offer = [offer for offer in page.json_ld["offers"] if offer["sku"] == "yearly"][0]
            self.assertEqual((offer["description"], offer["price"], offer["priceCurrency"]), (EVIL, "1990.50", "EUR"))
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.call("DELETE", "/api/v1/offers/yearly", "/api/v1/offers/{id}", 200, key=self.house)
        self.assertNotIn("alert", self.page().text)

    def test_a_page_is_asked_for_again_by_its_tag(self):
        first = self.page()
        tag = first.headers["ETag"]
        same = self.page(status=304, If_None_Match=f'"x", {tag}')
        self.assertEqual((same.text, same.headers["ETag"], same.headers["Content-Length"]), ("", tag, None))
        self.assertEqual(self.page(status=304, If_None_Match="W/" + tag).text, "")
        packed = tag[:-1] + '-gzip"'
        self.assertEqual(self.page(status=304, If_None_Match=packed, Accept_Encoding="gzip").text, "")
        self.put("starter", summary="Another sentence")
        self.assertNotEqual(self.page(If_None_Match=tag).headers["ETag"], tag)
        self.call("GET", "/pricing?utm_source=letter&utm_source=x", "/pricing", 200)

    def test_offers_are_the_houses(self):
        self.assertEqual(self.put("nosuch", 404)["code"], "plan_not_found")
        self.put("starter", 400, position=-1)
        self.put("starter", 400, spend=1)
        command(self.home, "plan", "offer", "starter", "--summary", "By hand", "--position", "5")
        listed = self.call("GET", "/api/v1/offers", "/api/v1/offers", 200, key=self.acme).json["data"]
        self.assertIn(("starter", "By hand", 5), [(one["plan"], one["summary"], one["position"]) for one in listed])
        self.assertEqual(command(self.home, "plan", "offers")["offers"], listed)
        command(self.home, "plan", "withdraw", "starter")
        self.call("DELETE", "/api/v1/offers/starter", "/api/v1/offers/{id}", 404, key=self.house)


class Unknown(ManagementCase):
    def test_a_server_without_a_name_is_not_to_be_found(self):
        self.assertEqual(self.call("GET", "/robots.txt", "/robots.txt", 200).text, "User-agent: *\nDisallow: /\n")
        self.assertNotIn("<url>", self.call("GET", "/sitemap.xml", "/sitemap.xml", 200).text)
        page = Page(self.call("GET", "/pricing", "/pricing", 200).text)
        self.assertEqual(page.links("canonical"), [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
