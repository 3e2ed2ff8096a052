"""Hard texts for a WordPiece tokenizer, each with a name that says what it tries.

Characters that an editor could change or hide are written as escapes on purpose.
"""

EMOJI = {
    "emoji": "\U0001F600\U0001F680 ok",
    "emoji family joined by ZWJ": "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466 family",
    "emoji with skin tone": "thumbs \U0001F44D\U0001F3FD up",
    "emoji flag": "\U0001F1E8\U0001F1F3 and \U0001F1EF\U0001F1F5",
    "emoji rainbow flag": "\U0001F3F3\uFE0F\u200D\U0001F308",
    "emoji keycap": "press 1\uFE0F\u20E3 or #\uFE0F\u20E3",
    "emoji tag sequence": "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
    "emoji heart, text and picture": "\u2764 \u2764\uFE0E \u2764\uFE0F",
    "emoji glued to words": "love\u2764you\U0001F60Dbaby",
    "emoji newer than the reference": "\U0001FAE8\U0001FAF6",
    "dingbats and arrows": "\u2713 done \u2192 next \u2605\u2606",
}

ACCENTS = {
    "accents composed": "Caf\u00E9 na\u00EFve r\u00E9sum\u00E9 \u00C5ngstr\u00F6m",
    "accents decomposed": "Cafe\u0301 nai\u0308ve re\u0301sume\u0301 A\u030Angstro\u0308m",
    "several marks on one letter": "e\u0301\u0323\u0302 z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F",
    "mark at the very start": "\u0301abc",
    "mark after a space": "abc \u0301def",
    "marks alone": "\u0300\u0301\u0302",
    "Vietnamese": "Ti\u1EBFng Vi\u1EC7t \u0111\u1EB9p qu\u00E1",
    "Turkish dotted capital": "\u0130stanbul D\u0130YARBAKIR",
    "Turkish dotless": "\u0131\u015F\u0131k I\u0131",
    "German sharp s": "Stra\u00DFe STRASSE STRA\u1E9EE gro\u00DF",
    "Greek final sigma": "\u039F\u0394\u03A5\u03A3\u03A3\u0395\u03A5\u03A3 \u03C3\u03BF\u03C6\u03CC\u03C2 \u03A3",
    "Greek with accents": "\u0386\u03BD\u03B8\u03C1\u03C9\u03C0\u03BF\u03C2 \u1F00\u03C1\u03C7\u03AE \u1FB3 \u1FBC",
    "Polish and Czech": "\u0141\u00F3d\u017A \u0142\u0105ka \u017Elu\u0165ou\u010Dk\u00FD k\u016F\u0148",
    "stroke letters stay": "\u00D8rsted \u0110or\u0111e \u0126al",
    "Icelandic": "\u00DE\u00F3r\u00F0ur \u00C6gir",
    "Esperanto and Maltese": "\u0108iu \u011Dardeno \u0126a\u017C\u0121",
    "Lithuanian": "\u0116jo \u012F\u0304 ne\u0307\u0300",
    "Angstrom and Kelvin signs": "\u212B \u212A \u2126",
    "digraph titlecase": "\u01C5 \u01C4 \u01C6 \u01F1",
    "ligatures": "\uFB01nd \uFB03ce \uFB00 \uFB05op \u0153uvre \u00E6on",
    "superscripts and fractions": "x\u00B2 + y\u00B3 = \u00BD \u2153 H\u2082O",
    "Roman numerals": "\u2160\u2161\u2162 \u2170\u2171",
    "mathematical letters": "\U0001D400\U0001D401 \U0001D4D0 \U0001D7D8\U0001D7D9",
    "circled and squared": "\u2460\u2461 \u24B6 \u33A1 \u2122 \u2120",
    "Deseret capitals": "\U00010400\U00010401 \U00010428",
    "Cherokee": "\u13A0\u13A1 \uAB70",
    "Georgian capitals": "\u1C90\u1C91 \u10D0\u10D1 \u10A0",
    "Coptic and Glagolitic": "\u2C80\u2C81 \u2C00\u2C30",
}

SPACES = {
    "empty": "",
    "one space": " ",
    "only spaces": "   \t \n ",
    "tabs and line ends": "a\tb\nc\rd\r\ne",
    "form feed and vertical tab": "a\x0Bb\x0Cc",
    "file and group separators": "a\x1Cb\x1Dc\x1Ed\x1Fe",
    "next line": "a\x85b",
    "no-break spaces": "a\u00A0b\u202Fc\u2060d",
    "all spaces of U+20xx": "a\u2000b\u2001c\u2002d\u2003e\u2004f\u2005g\u2006h\u2007i\u2008j\u2009k\u200Al",
    "line and paragraph separators": "a\u2028b\u2029c",
    "ideographic space": "\u4F60\u3000\u597D a\u3000b",
    "Ogham space and Mongolian vowel separator": "a\u1680b\u180Ec",
    "medium mathematical space": "a\u205Fb",
    "leading and trailing": "  hello   world  ",
}

INVISIBLE = {
    "NUL inside": "a\x00b \x00 c",
    "control characters": "a\x01b\x02c\x07d\x08e\x1Bf\x7Fg",
    "C1 controls": "a\x80b\x9Fc",
    "soft hyphen": "co\u00ADop\u00ADerate",
    "zero width": "zero\u200Bwidth\u200Cnon\u200Djoin\uFEFFbom",
    "byte order mark first": "\uFEFFhello",
    "direction marks": "\u200Eleft\u200F \u202Aembed\u202C \u2066isolate\u2069",
    "variation selectors": "\u8FBA\U000E0100 a\uFE0Fb",
    "replacement character": "bad \uFFFD byte\uFFFDs",
    "object replacement and annotation": "a\uFFFCb \uFFF9c\uFFFAd\uFFFB",
    "noncharacters": "a\uFFFEb\uFFFFc\uFDD0d\U0001FFFEe\U0010FFFFf",
    "private use": "a\uE000b \uF8FF \U000F0000 \U00100000",
    "next to the surrogates": "a\uD7FFb\uE000c",
    "unassigned": "a\u0378b \u05FF \U0003FFFF",
    "invisible operators": "f\u2061(x) a\u2062b\u2063c\u2064d",
    "Hangul fillers": "a\u3164b\u115Fc\u1160d\uFFA0",
    "Arabic letter mark and number signs": "\u061C\u0600\u0601 \u06DD",
    "language tags": "\U000E0001\U000E0065\U000E006E",
    "interlinear and musical controls": "\U0001D173a\U0001D17A",
}

SCRIPTS = {
    "Chinese": "\u6211\u7684\u94F6\u884C\u5361\u8FD8\u6CA1\u6709\u5230\uFF0C\u600E\u4E48\u529E\uFF1F",
    "Chinese with English": "\u6211\u7528iPhone 15\u4ED8\u6B3E\u5931\u8D25error\u7801E402",
    "Chinese block edges": "\u33FF\u3400\u4DBF\u4DC0\u4DFF\u4E00\u9FFF\uA000",
    "Chinese compatibility edges": "\uF8FF\uF900\uFAD9\uFAFF\uFB00",
    "Chinese supplementary edges": "\U00020000\U0002A6DF\U0002A6E0\U0002A700\U0002B73F\U0002B740\U0002B81F",
    "Chinese extensions E and F": "\U0002B820\U0002B91F\U0002B920\U0002CEAF\U0002CEB0\U0002EBE0",
    "Chinese supplement compatibility": "\U0002F800\U0002FA1F\U0002FA20\U00030000",
    "Chinese glued to accents": "\u4E2D\u0301\u6587",
    "Chinese numerals and repeat mark": "\u3007\u3005\u3006\u4E00\u4E8C",
    "radicals": "\u2F00\u2FD5 \u2E80\u2EF3",
    "bopomofo": "\u3105\u3106\u02CA \u31A0",
    "full width": "\uFF28\uFF45\uFF4C\uFF4C\uFF4F\uFF0C\uFF11\uFF12\uFF13\uFF01\uFF05",
    "Japanese": "\u3053\u3093\u306B\u3061\u306F\u3001\u4E16\u754C\u3002\u30C6\u30B9\u30C8",
    "Japanese voiced, composed and not": "\u304C\u30D1 \u304B\u3099\u30CF\u309A",
    "Japanese half width": "\uFF76\uFF9E\uFF83\uFF9D",
    "Korean": "\uC548\uB155\uD558\uC138\uC694 \uBC18\uAC11\uC2B5\uB2C8\uB2E4",
    "Korean decomposed": "\u1112\u1161\u11AB\u1100\u1173\u11AF",
    "Korean compatibility letters": "\u3131\u314F\u3134",
    "Thai": "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35\u0E04\u0E23\u0E31\u0E1A \u0E19\u0E49\u0E33",
    "Lao and Khmer": "\u0EAA\u0EB0\u0E9A\u0EB2\u0E8D\u0E94\u0EB5 \u179F\u17BD\u179F\u17D2\u178F\u17B8",
    "Hindi": "\u0928\u092E\u0938\u094D\u0924\u0947 \u0926\u0941\u0928\u093F\u092F\u093E \u0964",
    "Hindi nukta, both ways": "\u0958 \u0915\u093C",
    "Tamil and Bengali": "\u0BB5\u0BA3\u0B95\u0BCD\u0B95\u0BAE\u0BCD \u09A8\u09AE\u09B8\u09CD\u0995\u09BE\u09B0 \u09CB",
    "Arabic": "\u0645\u0631\u062D\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060C \u0643\u064A\u0641\u061F",
    "Arabic with vowels and tatweel": "\u0645\u064F\u062D\u064E\u0645\u0651\u064E\u062F \u0640\u0640\u0640 \u0622\u0623",
    "Arabic presentation forms": "\uFEFB \uFDFA \uFB50",
    "Hebrew with points": "\u05E9\u05C1\u05B8\u05DC\u05D5\u05B9\u05DD \u05BE \u05F4",
    "Russian": "\u041F\u0440\u0438\u0432\u0435\u0442, \u0401\u043B\u043A\u0430 \u0419\u043E\u0433",
    "Ukrainian": "\u0407\u0436\u0430\u043A \u0490\u0430\u043D\u043E\u043A",
    "Armenian and Georgian": "\u0532\u0561\u0580\u0565\u0582 \u0587 \u10D2\u10D0\u10DB\u10D0\u10E0\u10EF\u10DD\u10D1\u10D0",
    "Ethiopic": "\u1230\u120B\u121D \u1361 \u1369",
    "Mongolian and Tibetan": "\u182E\u1823\u1829 \u0F56\u0F7C\u0F51\u0F0B",
    "Burmese and Sinhala": "\u1019\u103C\u1014\u103A \u0D86\u0DBA\u0DD4",
    "cuneiform and linear B": "\U00012000\U00012001 \U00010000",
    "braille and yijing": "\u2801\u2803 \u4DC0",
    "right to left mixed": "abc \u05D0\u05D1\u05D2 123 \u0645 def",
}

WORDS = {
    "one letter": "a",
    "word of 99": "a" * 99,
    "word of 100": "a" * 100,
    "word of 101": "a" * 101,
    "word of 100 three-byte letters": "\u0430" * 100,
    "word of 101 three-byte letters": "\u0430" * 101,
    "word of 60 composed letters": "\u00E9" * 60,
    "word of 100 letters and 100 marks": "e\u0301" * 100,
    "word of 50 Hangul syllables": "\uD55C" * 50,
    "long word between others": "hello " + "x" * 300 + " world",
    "long run of punctuation": "!" * 120,
    "long Chinese run": "\u4E2D" * 120,
    "base64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "unknown letters": "\u16A0\u16B1 ab\u16A0c",
    "real long word": "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism",
    "continuation pieces as text": "##ing ## #ing un##able",
    "numbers": "1,234.56 -7e-10 0x1F 3.14159265358979 1000000007",
    "currency": "$5 \u20AC6 \u00A37 \u00A58 \u20BF9 \u20B910",
    "ASCII punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "other punctuation": "\u00A1\u00BF\u00AB\u00BB\u2018\u2019\u201C\u201D\u2026\u2014\u2013\u00B7\u3010\u3011\u300C\u300D",
    "symbols that are not punctuation": "\u00A9\u00AE\u00B0\u00B1\u00D7\u00F7\u2202\u221E\u2211",
    "newer punctuation": "a\u2E52b\u2E5Dc",
    "connectors": "snake_case\u203Fword \u2040 \uFF3F",
    "apostrophes": "don't don\u2019t O'Neil rock'n'roll 'quoted'",
    "address": "Send to jane.doe+test@example.co.uk or https://example.com/a?b=c&d=%20e#f",
    "card and phone": "card 4111-1111-1111-1111, call +44 (0)20 7946 0958",
    "code": "if (x != nullptr && y->z[0] >= 3) { return \"a\\n\"; } // ok",
    "JSON": "{\"key\": [1, 2.5, null], \"\\u00e9\": true}",
    "HTML": "<p class='x'>&nbsp;&lt;b&gt;&#8217;</p>",
    "Windows path": "C:\\Users\\me\\Desktop\\file (1).txt",
    "mixed case": "HeLLo WORLD iPhone McDonald eBAY",
    "hashtags": "#blessed @user_name RT: LOL!!! :-) ;P <3",
}

SPECIALS = {
    "special tokens": "[CLS] hello [SEP]",
    "mask inside": "Paris is the [MASK] of France.",
    "special glued": "abc[SEP]def[MASK]ghi",
    "special in a word": "un[UNK]known[PAD]",
    "special in lower case": "[cls] [mask] [sep]",
    "special broken": "[ CLS ] [CLS [MASK",
    "special with accent": "[CLS\u0301] [MA\u00ADSK]",
    "special with control inside": "[MA\x00SK]",
    "specials in a row": "[PAD][PAD][UNK][CLS][SEP][MASK]",
    "special and spaces": "  [MASK]  ",
    "special after Chinese": "\u4E2D[MASK]\u6587",
    "unused token": "[unused0] [unused99]",
    "nested brackets": "[[CLS]] [[MASK]",
}

LONG = ("The customer wrote that the card which was ordered three weeks ago has still not arrived, although the "
        "tracking page says delivered; she asks for a refund of \u20AC12.50 and a new card.")

PAIRS = [
    ("question and answer", "Where is my card?", "It was posted on Monday."),
    ("second empty", "Hello there", ""),
    ("first empty", "", "Hello there"),
    ("both empty", "", ""),
    ("Chinese and English", "\u4F60\u597D\u5417\uFF1F", "Are you well?"),
    ("special inside", "a [SEP] b", "[MASK] c"),
]


def single_cases():
    groups = {"emoji": EMOJI, "accents": ACCENTS, "spaces": SPACES, "invisible": INVISIBLE,
              "scripts": SCRIPTS, "words": WORDS, "specials": SPECIALS}
    for group, cases in groups.items():
        for name, text in cases.items():
            yield {"kind": "single", "name": f"{group}: {name}", "text": text}


def pair_cases():
    for name, text, pair in PAIRS:
        yield {"kind": "pair", "name": name, "text": text, "pair": pair}


def truncation_cases():
    for length in (2, 3, 8, 16, 128):
        yield {"kind": "truncated", "name": f"one text to {length}", "text": LONG,
               "max_length": length, "strategy": "longest_first"}
    for strategy, text, pair in (("longest_first", LONG, LONG[:90]), ("only_first", LONG, LONG[:40]),
                                 ("only_second", LONG[:40], LONG)):
        yield {"kind": "truncated", "name": f"pair, {strategy}", "text": text, "pair": pair,
               "max_length": 24, "strategy": strategy}
    for length in (9, 10, 11):
        yield {"kind": "truncated", "name": f"pair of equal texts to {length}", "text": LONG, "pair": LONG,
               "max_length": length, "strategy": "longest_first"}
    yield {"kind": "truncated", "name": "pair with a short first", "text": "Refund?", "pair": LONG,
           "max_length": 16, "strategy": "longest_first"}
    yield {"kind": "truncated", "name": "pair with a short second", "text": LONG, "pair": "Refund?",
           "max_length": 16, "strategy": "longest_first"}
