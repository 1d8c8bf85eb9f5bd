"""The file that a page goes to."""

from __future__ import annotations

import os
from stat import S_IMODE, S_ISDIR, S_ISREG

from ..errors import UsageError, UserError
from ..files import PRIVATE, is_ours
from ..paths import absolute


class Target:
    """A file that is made or replaced in one step; a new one is readable by its owner alone, as it names sessions."""

    def __init__(self, option: str, file: str) -> None:
        """Where a link leads, its target is meant. Raises UsageError for what is no file and for a folder that is not
        there, the working directory too."""
        self.path = os.path.realpath(absolute(file, option))
        self._mode = PRIVATE
        try:
            found = os.stat(self.path)
        except (OSError, ValueError):
            found = None
        if found is not None and not S_ISREG(found.st_mode):
            what = "a folder" if S_ISDIR(found.st_mode) else "no file"
            raise UsageError(f"{option} {file!r} is {what}; name a file, or - for stdout")
        if found is not None and is_ours(found):
            self._mode = S_IMODE(found.st_mode)  # who has opened it to others need not do so again
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            raise UsageError(f"{option} {file!r}: there is no folder {folder}")

    def write(self, data: bytes) -> None:
        """Raises UserError where that can't be."""
        import tempfile

        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".ccusage-", dir=os.path.dirname(self.path))
            with open(descriptor, "wb") as file:
                file.write(data)
            os.chmod(temporary, self._mode)
            os.replace(temporary, self.path)
            temporary = ""
        except OSError as error:
            raise UserError(f"{self.path} can't be written: {(error.strerror or str(error)).lower()}") from None
        finally:
            if temporary:
                os.unlink(temporary)
