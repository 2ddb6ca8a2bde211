"""Names for bytes that may lie in memory or in a mapped file, and for single ones."""

import mmap
from typing import Final, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview
"""What a socket can be given."""

Octets: TypeAlias = bytes | mmap.mmap
"""A whole message: small ones as bytes, large ones mapped from a file.

Both can be searched with `re`, and slicing either gives `bytes`, so code by
offsets serves both. `find` is that of `postroad.message.octets`: the one of a
map may end the process.
"""

Body: TypeAlias = Octets | memoryview
"""A message that is to be stored: a whole one, or a part of a map that holds several."""

# Single octets are looked for by their numbers: `LF in octets` takes a tenth of `b"\n" in octets`, within
# which an exception comes and goes.
NUL: Final = 0x00
LF: Final = 0x0A
CR: Final = 0x0D
QUOTE: Final = 0x22
BACKSLASH: Final = 0x5C
