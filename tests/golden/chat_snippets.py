"""Small templates, each showing one thing of the language. What the reference prints (or that it refuses) becomes a
golden value in make_chat_golden.py."""

V = {"s": "  Hello, World  ", "n": 7, "f": 2.5, "neg": -3, "yes": True, "no": False, "nil": None, "empty": "",
     "l": [3, 1, 2], "words": ["pear", "Apple", "fig", "apple"], "d": {"b": 1, "a": [1, 2.0, None, True], "c": {"x": "y"}},
     "u": "caf\u00e9 \u4f60\u597d \U0001f600", "people": [{"name": "Bo", "age": 30}, {"name": "al", "age": 4}, {"name": "Cy"}],
     "html": "<a href='x'>\"&\"</a>", "items_key": {"items": 1, "get": 2}, "big": 9007199254740993, "small": 1e-7, "huge": 1e22}

EXPRESSIONS = r"""
1 + 2 * 3|1 + 2 * 3 ** 2|(1 + 2) * 3|7 / 2|7 // 2|-7 // 2|7 % 3|-7 % 3|7 % -3|2 ** 10|2 ** -1|7.5 // 2|-7.5 % 2|1 / 3|10 / 2|1e3|1.5e-7|1_000
n + f|n - yes|n * 'ab'|'ab' * 3|'ab' * -1|[1] * 3|[1] + [2]|(1,) + (2,)|[1] + (2,)|'a' + 'b'|'a' + 1|nil + 'a'|missing + 'a'|'a' ~ 1 ~ nil ~ true|missing ~ 'x'
1 / 0|1 // 0|1 % 0|1.0 / 0|-n|+n|-f|-'a'|- missing|+'a'|1 < 2 < 3|1 < 3 < 2|'a' < 'b'|'a' < 1|[1, 2] < [1, 3]|1 == 1.0|1 == true|'1' == 1|nil == none|missing == missing|nil < 1|missing < 1
l == [3, 1, 2]|(1, 2) == [1, 2]|{'a': 1} == {'a': 1.0}|n != 7|n >= 7|n <= 6|2 in l|2 not in l|'b' in d|'z' in d|'World' in s|1 in s|'a' in missing|missing in l|missing in s|1 in 1
yes and no|yes and n|no or s|nil or empty or 0|not nil|not not n|not n == 7|yes if no else 'z'|'x' if no|1 if yes else 2 if no else 3|(1 if no) is defined
s|s[2]|s[-3]|s[100]|s[2:7]|s[::-1]|s[:-2]|s[::2]|u[5]|u[-1]|u[3:6]|u|length|l[0]|l[-1]|l[9]|l[1:]|l[::-1]|l[5:]|l[::0]|l['a']|l[1.5]|d['b']|d.b|d['zz']|d.zz|d.zz.y|d['zz']['y']|d.c.x|d['c']['x']|nil.x|nil['x']|n.x|s.x|s['upper']|l.0|missing[0]|missing.x|missing[1:]|n[1:]
d.items()|d.keys()|d.values()|d.keys() == ['b', 'a', 'c']|d.keys()|tojson|d.items()[0]|range(3)[1]|range(3)|tojson|range(3)|length|l|map('string')|length|(l|map('string'))[0]|l|reverse|length|l|select('odd') and 'always'|[]|select|list and 1|d.get('b')|d.get('q')|d.get('q', 5)|items_key.items|items_key['items']|items_key.items()|items_key.get|d.pop('b')|l.append(4)|l.index(1)|l.index(9)|l.count(1)|d.update({})|d.copy()|l.copy()
s.strip()|s.lstrip()|s.rstrip()|s.upper()|s.lower()|s.strip().title()|'hELLO wORLD x2y'.title()|'hELLO'.capitalize()|s.split()|s.split(',')|s.split(' ')|'a,b,c'.split(',', 1)|'a,b,c'.rsplit(',', 1)|' a  b c '.split(none, 1)|' a  b c '.rsplit(none, 1)|'abc'.split('')|''.split()|''.split(',')|'a\nb\r\nc\x0bd'.splitlines()|'a\nb\n'.splitlines(true)
'xxaxx'.strip('x')|'xyaxy'.lstrip('yx')|'\u00e9a\u00e9'.strip('\u00e9')|'aXbX'.replace('X', '-')|'aXbX'.replace('X', '-', 1)|'ab'.replace('', '-')|'ab'.replace('', '-', 2)|''.replace('', '-')|'abc'.startswith('ab')|'abc'.startswith(('x', 'a'))|'abc'.endswith('bc')|'abc'.endswith(['c'])|'abc'.find('c')|'abc'.find('x')|'caf\u00e9x'.find('x')|'abcabc'.rfind('b')|'abc'.index('z')|'banana'.count('an')|'abc'.count('')|'banana'.find('a', 2)|'banana'.count('a', 2, 4)
','.join(words)|','.join(l)|','.join('abc')|','.join([])|'a-b-c'.partition('-')|'a-b-c'.rpartition('-')|'abc'.partition('-')|'abc'.rpartition('-')|'7'.zfill(3)|'-7'.zfill(4)|'ab'.ljust(4)|'ab'.rjust(4, '.')|'abc'.removeprefix('a')|'abc'.removesuffix('c')|'12'.isdigit()|''.isdigit()|'a1'.isalnum()|'ab'.isalpha()|'Ab'.isupper()|'AB'.isupper()|'ab1'.islower()|' \t'.isspace()|'\u00bd'.isnumeric()|'\u00b2'.isdigit()|'abc'.isascii()
'{} and {}'.format(1, 'b')|'{1} {0}'.format(1, 2)|'{a}-{b}'.format(a=1, b='z')|'{{}}'.format()|'{:.2f}'.format(2.5)|'{:5d}|'.format(7)|'{:<5}|'.format('ab')|'{:>5}|'.format('ab')|'{:05d}'.format(42)|'{}'.format()|'{x}'.format(1)|'%s is %d' % ('a', 3)|'%s' % 'x'|'%s' % l|'%5.1f|' % 2.25|'%-5s|' % 'ab'|'%05d' % 42|'%x' % 255|'%%'|'%s %s' % ('a',)|'%s' % ('a', 'b')|'%d' % 'a'|'%(a)s' % {'a': 1}|'%s %s'|format('a', 1)
missing|missing is defined|n is defined|missing is undefined|nil is none|nil is not none|missing is none|s is string|l is string|d is mapping|l is mapping|l is iterable|s is iterable|n is iterable|missing is iterable|l is sequence|d is sequence|missing is sequence|n is number|yes is number|f is number|n is integer|yes is integer|f is float|f is integer|yes is boolean|n is boolean|yes is true|no is false|n is true|n is odd|n is even|n is divisibleby 7|n is divisibleby(2)|n is eq 7|n is eq(7)|n is equalto 8|n is ne 8|n is lt 8|n is gt 8|n is ge 7|n is le 7|n is in l|2 is in [1, 2]|'abc' is lower|'ABC' is upper|'a' is in 'abc'|n is sameas 7 or true|none is sameas none|missing is callable|n is nosuchtest|s is not string and yes|n is divisibleby 0
s|trim|s|trim|upper|'xax'|trim('x')|nil|upper|n|string|'HELLO you-know (who)'|title|'hELLO'|capitalize|n|trim|l|length|d|length|missing|length|n|length|nil|length|l|count|l|first|[]|first|l|last|'abc'|first|d|first|missing|first|''|last|words|join|words|join(', ')|l|join('-')|people|join(',', attribute='name')|people|map(attribute='name')|list|people|map(attribute='age', default=0)|list|people|map(attribute='age')|list|words|map('upper')|join(' ')|words|map('replace', 'p', 'P')|list|l|map('string')|list|[['a', 1]]|map('first')|list
missing|default('x')|empty|default('x')|empty|default('x', true)|nil|default('x')|nil|d('x', boolean=true)|n|default('x')|missing.a|default('x')|d.q|default('x')|missing|default|html|replace('<', '[')|'aaa'|replace('a', 'b', 2)|n|replace(7, 8)|words|list|'abc'|list|d|list|missing|list|n|list|d|items|list|missing|items|list|l|items|d|dictsort|{'B': 1, 'a': 2}|dictsort|{'B': 1, 'a': 2}|dictsort(true)|{'B': 1, 'a': 2}|dictsort(by='value', reverse=true)|l|dictsort
people|selectattr('age')|map(attribute='name')|list|people|selectattr('age', 'defined')|list|length|people|selectattr('name', 'equalto', 'Bo')|list|people|rejectattr('age', 'undefined')|map(attribute='age')|list|people|selectattr('age', '>', 5)|list|people|rejectattr('name', 'in', ['Bo', 'Cy'])|map(attribute='name')|join|l|select('odd')|list|l|reject('eq', 1)|list|[0, 1, none, '']|select|list|[0, 1, none]|reject|list|l|select('nosuch')|list|people|selectattr|list
l|sort|l|sort(reverse=true)|words|sort|words|sort(case_sensitive=true)|people|sort(attribute='name')|map(attribute='name')|list|[1, 'a']|sort|people|sort(attribute='age')|words|unique|list|words|unique(true)|list|[1, 1.0, 2]|unique|list|l|reverse|list|'abc'|reverse|l|min|l|max|words|min|words|max|[]|max|l|sum|people|selectattr('age', 'defined')|sum(attribute='age')|[1.5, 2]|sum(start=1)|words|sum|[1, 2, 3]|batch(2)|list|[1, 2, 3]|batch(2, 0)|list
'12'|int|' 12 '|int|'1_0'|int|'x'|int|'x'|int(5)|'3.9'|int|'-4'|int|f|int|nil|int|missing|int|'ff'|int(0, 16)|'1.5'|float|'x'|float|n|float|f|round|2.5|round|3.5|round|2.675|round(2)|1234.5|round(-2)|7|round|2.1|round(method='ceil')|2.55|round(1, 'floor')|neg|abs|-2.5|abs|'a'|abs|missing|abs|'a'|round
'a\nb\n\nc'|indent|'a\nb'|indent(2)|'a\nb'|indent(2, true)|'a\n\nb'|indent(2, false, true)|'a\nb'|indent('> ')|'a\n'|indent|''|indent|''|indent(2, true)|html|safe|html|string|n|nosuchfilter|s|trim(1)|s|upper(1)
d|tojson|l|tojson|html|tojson|u|tojson|nil|tojson|yes|tojson|f|tojson|big|tojson|small|tojson|huge|tojson|1.0|tojson|missing|tojson|d|tojson(indent=2)|d|tojson(indent=4)|{}|tojson(indent=2)|[[], {}, [1]]|tojson(indent=1)|d|tojson(separators=(',', ':'))|{'b': 1, 'a': 2}|tojson(sort_keys=true)|u|tojson(ensure_ascii=true)|(1, 2)|tojson|{1: 2, none: 3, true: 4}|tojson|'\x01\x7f\n\t\"\\\u2028'|tojson|range|tojson|[1, 2]|tojson(indent=0)|d|tojson(indent='--')|1e16|tojson|123456789.0|tojson
[1, 'a', none, true, 2.0, [], {}, (), (1,), (1, 2)]|{'a': 'b', 1: [2]}|['it\'s', 'say "x"', 'it\'s "x"', 'back\\slash', 'tab\t', '\x00', '\u00e9', '\u200b', '\U0001f600']|1.0|1e16|1e15|1.5e300|0.1|1e-5|0.0001|-0.0|100000000000000000000.0|[f]|small|huge|true|none|[missing]|{'a': missing}
range(3)|list|range(1, 4)|list|range(5, 0, -2)|list|range(0)|list|range('a')|range(1, 2, 0)|list|range(200000)|list|dict(a=1, b='c')|dict({'a': 1}, b=2)|namespace(a=1).a|namespace({'a': 2}).a|namespace().zz|raise_exception('no')|nosuch(1)|n(1)|lambda|'a' 'b'|"a" 'b' "\x41\u00e9\t\\"|'\q'|'\101'|1,|(1, 2)|()|1, 2|[1, 2,]|{'a': 1,}|{'a': {'b': {}}}|{[1]: 2}|{}|not|1 +|[1|(1|{'a' 1}|a b|1 2|'abc|x.|x[|x[]|f(a=1, 2)|1 is|x is not|a.b.c|s|||trim
"""

STATEMENTS = [
    "{% set g = l|map('string') %}{{ g|join }}{{ g|join }}|", "{% if []|select %}t{% endif %}", "{% for x in l|reverse %}{{ x }}{{ loop.length }}{% endfor %}", "{{ d.items()|first }}{{ 'b' in d.keys() }}{{ 1 in d.values() }}",
    "{{ (l|sort)[0] }}{{ (people|groupby('name'))|length if no }}", "{{ d.items() is sequence }}{{ d.items() is iterable }}{{ range(2) is sequence }}{{ (l|map('string')) is iterable }}{{ (l|map('string')) is sequence }}",
    "{% if n %}yes{% endif %}", "{% if missing %}yes{% else %}no{% endif %}", "{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}",
    "{% if no %}a{% elif no %}b{% elif yes %}c{% endif %}", "{% if n %}", "{% endif %}", "{% if %}x{% endif %}", "{% nosuch %}",
    "{% for x in l %}{{ x }}{% endfor %}", "{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "{% for x in missing %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in nil %}{{ x }}{% endfor %}", "{% for x in n %}{{ x }}{% endfor %}", "{% for c in 'a\u00e9b' %}{{ c }}.{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [1] %}x{% endfor %}", "{% for a, b in [(1, 2, 3)] %}x{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}",
    "{% for x in l %}[{{ loop.previtem }},{{ loop.nextitem }}]{% endfor %}", "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in l if x > 1 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% endfor %}", "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}", "{{ loop }}", "{% for x in l %}{{ loop.nosuch }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% break %}",
    "{% for x in l %}{% for y in l %}{% break %}{% endfor %}{{ x }}{% endfor %}", "{% set a = 1 %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}",
    "{% set a %}x{{ n }}y{% endset %}[{{ a }}]", "{% set a | upper %}x{{ n }}y{% endset %}[{{ a }}]", "{% set a | trim | upper %} x {% endset %}[{{ a }}]", "{% set a %}{% set b = 1 %}{% endset %}[{{ b }}]",
    "{% set a = 1 %}{% for x in l %}{% set a = x %}{% endfor %}{{ a }}", "{% set a = 1 %}{% for x in l %}{{ a }}{% set a = a + 1 %}{{ a }}{% endfor %}", "{% if yes %}{% set a = 1 %}{% endif %}{{ a }}",
    "{% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}", "{% set ns = namespace() %}{% set ns.a %}block{% endset %}{{ ns.a }}{{ ns.b }}", "{% set ns.a = 1 %}", "{% set d.a = 1 %}",
    "{% set ns = namespace(a=[]) %}{% for x in l %}{% set ns.a = ns.a + [x * 2] %}{% endfor %}{{ ns.a }}", "{% set ns = namespace(a=1) %}{{ ns['a'] }}{% if ns %}t{% endif %}",
    "{% macro m(a, b=2) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}", "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}",
    "{% macro m() %}{% set q = 1 %}{% endmacro %}{{ m() }}[{{ q }}]", "{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{{ n }}{% endcall %}", "{% macro m() %}<{{ caller(1, 2) }}>{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m(a) %}{{ a|upper }}{% endmacro %}{{ m('x') ~ m('y') }}{{ m('z')|length }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{{ m() }}{% macro m() %}x{% endmacro %}",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter trim | upper %} a {% endfilter %}", "{% filter replace('a', 'b') %}aa{% endfilter %}", "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}[{{ a }}]",
    "{% set a = 5 %}{% with a = 1, b = a %}{{ b }}{% endwith %}", "{% generation %}x{% endgeneration %}", "{% for x in l %}{% generation %}{% set q = x %}{{ loop.index }}{{ q }}{% endgeneration %}{{ q }}{% endfor %}", "{% for x in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% raw %}{{ x }}{% if %}{% endraw %}", "{%- raw -%} {{ x }} {%- endraw -%} y", "a {% raw %} b {% endraw %} c", "{% raw %}x", "{% raw %}\nx\n{% endraw %}\ny", "{# comment #}x", "a {#- c -#} b", "a\n{# c #}\nb", "a {# c +#}\nb", "{# {% if %} #}x", "{# open", "{{ open", "{% open", "{{ '}}' }}", "{% if '%}' %}x{% endif %}",
    "a\n{% if yes %}\nb\n{% endif %}\nc", "a\n  {% if yes %}\n  b\n  {% endif %}\nc", "a {% if yes %} b {% endif %} c", "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\nc", "a\n  {%+ if yes %}\n b\n  {%+ endif +%}\nc", "a\n  {{ n }}\nb", "a\n  {{- n -}}\n  b", "  {% set a = 1 %}\nx", "\n\n{% set a = 1 %}\n\nx\n", "x\n", "x\n\n", "x\r\ny\rz\r\n",
    "a\u00a0{%- if yes %}b{% endif %}", "\u2003{% if yes %}b{% endif %}", "{% if yes -%}\u3000 b{% endif %}", "a {{- ' b ' -}} c", "{{- n }}", "{%- if yes %} x{%- endif %}", "{% if yes %}\n\n\nx{% endif %}", "{% if yes -%}\n\n\nx{% endif %}", "}} %} #}", "{ { x } }", "{{'a'}}{{'b'}}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a':{}} }}",
    "{{ n}}{{n }}{{n}}", "{{+ n }}", "{{ -n }}", "{{-n}}", "{{ - n -}} x", "{% set x = [1, 2,\n 3] %}{{ x }}", "{{ n | string | length }}", "{{ 'a'|upper + 'b' }}", "{{ -1|abs }}", "{{ -n|abs }}", "{{ not n|string == '7' }}", "{{ 1 + 2|string }}", "{{ (1 + 2)|string ~ 'x' }}", "{{ 'a' if n is defined and n > 3 else 'b' }}",
    "{{ strftime_now('%Y-%m-%d') }}", "{{ strftime_now('%d %b %Y, %A %B %j %%') }}", "{{ strftime_now('') }}x", "{{ strftime_now() }}", "{{ raise_exception('stop ' ~ n) }}", "{% if no %}{{ raise_exception('x') }}{% endif %}ok", "{% include 'x' %}", "{% import 'x' as y %}",
    "{% set x = {'a': 1} %}{% for k in x %}{{ x[k] }}{% endfor %}", "{% set x = dict(a=1) %}{{ x.a }}", "{{ d.items()|list|length }}{{ d.items()|length }}", "{% for m in people if m.age is defined and m.age > 5 %}{{ m.name }}{% endfor %}", "{% set true = 1 %}", "{{ true }}",
    "{% set x = words[:2] + words[3:] %}{{ x|join(',') }}", "{% set first, rest = l[0], l[1:] %}{{ first }}{{ rest }}", "{{ people[0]['name'] ~ people[-1].name }}", "{{ people|map(attribute='name')|map('lower')|join('/') }}", "{{ (words|select('in', ['fig'])|list)[0] }}", "{{ 'x' in ['x'] and 'y' not in ['x'] }}", "{{ s.strip().split(', ')[-1].lower() }}",
    "{{ '<think>a</think>b'.split('</think>')[-1].lstrip('\\n') }}", "{% for x in range(3) %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", "{%- set ns = namespace(found=false) -%}{%- for p in people -%}{%- if p.name == 'al' -%}{%- set ns.found = true -%}{%- endif -%}{%- endfor -%}{{ ns.found }}",
]


def split(line):
    """Expressions are separated by bars that no filter follows: a bar belongs to an expression when what stands after
    it begins with the name of a filter."""
    filters = set("""trim upper lower title capitalize length count first last join default d tojson replace list items dictsort selectattr rejectattr map
    select reject sort unique reverse string int float round indent safe abs max min sum batch nosuchfilter attr""".split())
    parts = []
    for part in line.split("|"):
        name = part.split("(")[0].strip()
        if parts and (name in filters and not (name == "d" and part.strip() != "d('x', boolean=true)") or part[:1] in "'." and part.startswith("'.format")
                      or part.startswith("' %") or part == "'.format(7)" or part == ""):
            parts[-1] += "|" + part
        else:
            parts.append(part)
    return parts


SNIPPETS = ["{{ " + expression + " }}" for line in EXPRESSIONS.strip().splitlines() for expression in split(line)]
SNIPPETS += STATEMENTS
