"""Errors whose text a user reads: what was found, what was needed, what to do."""


class AiroborosLongctxError(Exception):
    """The base of every error this extension raises on purpose."""


class ModelFolderError(AiroborosLongctxError):
    """A model folder that is not there or says nothing that could be used."""


class SettingsError(AiroborosLongctxError):
    """A setting with a value that cannot be used."""


class RopeScalingError(AiroborosLongctxError):
    """A scaling that could not be applied to, or read from, a model."""


class UnfinishedReplyError(AiroborosLongctxError):
    """A reply that ended before its end; what came of it stays."""
