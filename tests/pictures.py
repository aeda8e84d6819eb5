"""Pictures for the tests: as much of one as tells its size."""

import struct

# A PNG's signature and header: 200 by 100 pixels.
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 200, 100) + b"\0" * 16
