"""Places of keys in a TOML file."""

from postroad.config.lines import lines_of

_TEXT = '''\
# comment
one = 1
text = """
two = 2
[not.a.table]
"""

list = [
  1, # [[x]]
  2,
]
inline = { a = 1, b = [ { c = 2 } ] }
[table]
key = 1
dotted.key = 2

[[array]]
x = 1
[array.sub]
y = 1
[[array]]
x = 2
[[array.deep]]
z = 1
[[array.deep]]
z = 2
"quoted key" = 3
'''


def test_each_key_and_table_has_its_line() -> None:
    places = lines_of(_TEXT)
    assert places == {
        ("one",): 2,
        ("text",): 3,
        ("list",): 8,
        ("inline",): 12,
        ("inline", "a"): 12,
        ("inline", "b"): 12,
        ("inline", "b", 0): 12,
        ("inline", "b", 0, "c"): 12,
        ("table",): 13,
        ("table", "key"): 14,
        ("table", "dotted"): 15,
        ("table", "dotted", "key"): 15,
        ("array", 0): 17,
        ("array", 0, "x"): 18,
        ("array", 0, "sub"): 19,
        ("array", 0, "sub", "y"): 20,
        ("array", 1): 21,
        ("array", 1, "x"): 22,
        ("array", 1, "deep", 0): 23,
        ("array", 1, "deep", 0, "z"): 24,
        ("array", 1, "deep", 1): 25,
        ("array", 1, "deep", 1, "z"): 26,
        ("array", 1, "deep", 1, "quoted key"): 27,
    }
