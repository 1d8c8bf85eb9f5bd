"""The file that a page is written to."""

from __future__ import annotations

import os
from stat import S_IMODE, S_ISDIR, S_ISREG

from ..errors import UsageError, UserError
from ..files import PRIVATE, is_ours
from ..paths import absolute


class Target:
    """A file that is created or replaced in one step; a new one is private, because it names sessions."""

    def __init__(self, option: str, file: str) -> None:
        """Follow links. Raises UsageError if *file* is not a regular file or its folder is missing."""
        self.path = os.path.realpath(absolute(file, option))
        self._mode = PRIVATE
        try:
            status = os.stat(self.path)
        except (OSError, ValueError):
            status = None
        if status is not None and not S_ISREG(status.st_mode):
            what = "a folder" if S_ISDIR(status.st_mode) else "not a regular file"
            raise UsageError(f"{option} {file!r} is {what}; name a file, or - for stdout")
        if status is not None and is_ours(status):
            self._mode = S_IMODE(status.st_mode)  # keep the mode if the user has made it readable for others
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            raise UsageError(f"{option} {file!r}: there is no folder {folder}")

    def write(self, data: bytes) -> None:
        """Write the file. Raises UserError if that fails."""
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
