"""Our own chat templates, in the shape of families that no package at hand carries, and the conversations that all
templates are tried on."""

CHATML = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

# SmolLM2, Qwen2: a default system prompt when the first message is none.
CHATML_DEFAULT = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a small helper.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

# Llama 2: the system text rides inside the first user turn; roles must take turns.
LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Roles must take turns: user, assistant, user, ...') }}
    {%- endif %}
    {%- if loop.index0 == 0 and system_message != false %}
        {%- set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}
    {%- else %}
        {%- set content = message['content'] %}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + content.strip() + ' ' + eos_token }}
    {%- endif %}
{%- endfor %}"""

# Mistral 7B v0.3 and later: tools before the last user turn, calls and results as JSON, ids of nine characters.
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- Users and assistants take turns; tool messages do not count. #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Roles must take turns") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("A tool call's id has nine letters or digits!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- elif message["role"] == "tool" %}
        {%- set content = message.content.content if message.content is mapping and message.content.content is defined else message.content %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are known, with an optional system message first!") }}
    {%- endif %}
{%- endfor %}
"""

# Zephyr, TinyLlama: real line ends in the template, trimmed by trim_blocks.
ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}
"""

# Macros, block set, call and filter blocks, recursion: what the larger agents' templates use.
AGENT = """{%- macro schema(spec, level=0) -%}
{%- if spec is mapping -%}
{%- for key, value in spec|dictsort -%}
{{ '  ' * level }}{{ key }}:{{ '\\n' if value is mapping else ' ' }}{{ schema(value, level + 1) }}
{%- endfor -%}
{%- elif spec is sequence and spec is not string -%}
{{ spec | map('string') | join(' | ') }}{{ '\\n' }}
{%- else -%}
{{ spec|string|trim }}{{ '\\n' }}
{%- endif -%}
{%- endmacro -%}
{%- macro turn(role, mark='>>') -%}
{{ mark }} {{ role|upper }}{{ '\\n' }}{{ caller(role) }}{{ '\\n' }}
{%- endmacro -%}
{%- set today = strftime_now('%d %B %Y') -%}
{%- set head -%}
Date: {{ today }}
{% if tools %}
{%- for tool in tools %}
Tool {{ loop.index }}/{{ loop.length }}: {{ tool.function.name }}
{{ schema(tool.function.parameters) }}
{%- endfor %}
{%- endif %}
{%- endset -%}
{%- if documents %}
{%- for document in documents %}
[{{ loop.index0 }}] {{ document.title|default('untitled', true) }}: {{ document.text|replace('\\n', ' ') }}
{%- endfor %}
{%- endif %}
{{- head|indent(2) }}
{% for message in messages %}
{%- if message.role == 'tool' %}{% continue %}{% endif %}
{%- call(role) turn(message.role) -%}
{%- filter trim -%}
{%- if message.content is string %}{{ message.content }}
{%- elif message.content is iterable and message.content is not none %}
{%- for part in message.content if part.type == 'text' %}{{ part.text }}{% else %}(no text){% endfor %}
{%- endif %}
{%- endfilter -%}
{%- for call in message.tool_calls or [] %}{{ '\\n' }}{{ call.function.name }}({% for name, value in call.function.arguments.items() %}{{ name }}={{ value|tojson }}{% if not loop.last %}, {% endif %}{% endfor %}){% endfor -%}
{%- endcall -%}
{%- if loop.index > 40 %}{% break %}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}>> ASSISTANT
{% endif -%}"""

# The assistant's words marked, with nested control flow.
MARKED = """{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
<a>{%- generation -%}{{ message.content }}{% if message.tool_calls %}{{ message.tool_calls|tojson }}{% endif %}</a>{%- endgeneration -%}
{%- else -%}
<{{ message.role[0] }}>{{ message.content }}</{{ message.role[0] }}>
{%- endif -%}
{{ '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}<a>{% endif %}"""

TEMPLATES = {"own chatml": CHATML, "own chatml with default": CHATML_DEFAULT, "own llama2": LLAMA2,
             "own mistral": MISTRAL, "own zephyr": ZEPHYR, "own agent": AGENT, "own marked": MARKED}

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Current weather <now> & here's \u201cmore\u201d",
    "parameters": {"type": "object", "required": ["place"], "properties": {
        "place": {"type": "string", "description": "city, e.g. Z\u00fcrich"},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1, "default": 3}}}}}
SUM = {"type": "function", "function": {"name": "sum", "description": "adds", "parameters": {
    "type": "object", "properties": {"a": {"type": "number", "default": 1.0}, "b": {"type": ["number", "null"]},
                                     "list": {"type": "array", "items": {"type": "string"}}}, "required": []},
    "return": {"type": "number"}}}


def call(name, arguments, number="call12345"):
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def said(*turns, **others):
    return {"messages": [{"role": role, "content": content} if isinstance(content, (str, list, type(None)))
                         else {"role": role, **content} for role, content in turns], **others}


WEATHER_TALK = [("user", "Weather in Z\u00fcrich?"),
                ("assistant", {"content": "", "tool_calls": [call("get_weather", {"place": "Z\u00fcrich", "days": 2})]}),
                ("tool", {"content": "{\"t\": 7.5}", "tool_call_id": "call12345", "name": "get_weather"}),
                ("assistant", "7.5 degrees."), ("user", "Thanks!")]

CONVERSATIONS = [
    said(("user", "Hello")),
    said(("system", "Be brief."), ("user", "Hello, who are you?")),
    said(("system", "  Be brief. \n"), ("user", " Hi \n"), ("assistant", "\nHello there!  "), ("user", "Tell me more.")),
    said(("user", "1"), ("assistant", "one"), ("user", "2"), ("assistant", "two"), ("user", "3"), ("assistant", "three")),
    said(("system", ""), ("user", ""), ("assistant", "")),
    said(("user", "\u4f60\u597d\uff0c\u4e16\u754c \U0001f30d caf\u00e9 \u00a0\u2003x\u200d"), ("assistant", "\U0001f44d\u0301 \"quoted\" \\ <b>&amp;</b>")),
    said(("system", "You may call tools."), *WEATHER_TALK, tools=[WEATHER]),
    said(*WEATHER_TALK[:3], tools=[WEATHER, SUM]),
    said(("user", "Both?"), ("assistant", {"content": None, "tool_calls": [
        call("sum", {"a": 1, "b": 2.5, "list": ["x", None, True]}), call("get_weather", {"place": "<Bonn>"}, "call54321")]}),
         ("tool", {"content": "3.5", "tool_call_id": "call12345"}), ("tool", {"content": "rain", "tool_call_id": "call54321"}),
         tools=[SUM, WEATHER]),
    said(("user", "String arguments"), ("assistant", {"content": "Let me see.", "tool_calls": [call("sum", "{\"a\": 1}")]}),
         ("tool", {"content": "1", "tool_call_id": "call12345"}), ("assistant", "One."), tools=[SUM]),
    said(("user", "Think."), ("assistant", "<think>\nhm, 1 + 1\n</think>\n\n2"), ("user", "Again."),
         ("assistant", {"content": "4", "reasoning_content": "2 + 2"}), variables={"enable_thinking": True}),
    said(("user", "Do not think."), variables={"enable_thinking": False}),
    said(("system", "Only a system message.")),
    said(("user", "one"), ("user", "two")),
    said(("assistant", "I begin."), ("user", "Fine.")),
    said(("user", [{"type": "text", "text": "Look: "}, {"type": "image"}, {"type": "text", "text": "what is it?"}]),
         ("assistant", [{"type": "text", "text": "A cat."}])),
    said(("user", "Which?"), documents=[{"title": "Cats", "text": "They\npurr."}, {"title": "", "text": "Dogs bark."}]),
    said(("developer", "New role."), ("user", "Hi"), variables={"reasoning_effort": "high", "builtin_tools": ["browser"],
                                                              "custom_tools": None, "date_string": "1 Jan 2026"}),
    said(("user", "{{ not a template }} {% raw %} {# nor this #}"), ("assistant", "{% endraw %}"), ("user", "<|im_end|>\n<|eot_id|>")),
    {"messages": []},
    said(("user", "no system"), tools=[], variables={"tools_in_user_message": False, "xml_tools": [WEATHER]}),
]
