"""
Unpacks an archive into the workspace of the box that this runs in: a step of its own, on the standard library alone.

Whoever sent the archive may have made it to harm its reader. All it can reach from here is a box without network that
holds nothing but the archive; what comes out is files whose names and bytes the supervisor checks once more.
"""
