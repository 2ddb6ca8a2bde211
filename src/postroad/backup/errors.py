"""What keeps a backup from being made, read or restored; every message is a sentence for the operator."""


class BackupError(Exception):
    """Something about backups did not go as asked."""


class BadKey(BackupError):
    """A key file cannot be used."""


class WrongKey(BackupError):
    """A backup was sealed for another key."""


class Tampered(BackupError):
    """What the target gave is not what was put there."""


class Different(BackupError):
    """What came back is not what was backed up."""


class NoSuchBackup(BackupError):
    """No backup is what was asked for."""


class NotInBackup(BackupError):
    """The backup does not hold the account, mailbox or message that was asked for."""


class NotEmpty(BackupError):
    """The data directory to restore into holds something; nothing was done."""


class NoRoom(BackupError):
    """The disk cannot hold what has to be written; nothing was done."""


class Busy(BackupError):
    """Another backup of this data directory is being made."""


class CannotPrune(BackupError):
    """It is not certain which chunks are needed; nothing was removed."""


class TargetError(BackupError):
    """The target did not do what it was asked."""


class NoSuchObject(TargetError):
    """The target does not hold an object of that name."""
