"""The roles that a person can hold."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is in the centre. A person may hold several roles; the policy adds up what they allow."""

    VIEWER = "viewer"
    QC_ENGINEER = "qc_engineer"
    ESL_EXPERT = "esl_expert"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Value and label of each role, as forms and fields want them."""
        return [(role.value, role.label) for role in cls]

    @classmethod
    def named(cls, text: str) -> Role:
        """The role that a person means by this text: its value or its label, in any case.

        Raises ValueError with the known roles when there is none.
        """
        wanted = text.strip().casefold().replace("-", "_").replace(" ", "_")
        for role in cls:
            if wanted in {role.value, role.label.casefold().replace(" ", "_")}:
                return role
        raise ValueError(f"no role “{text}”; the roles are: {', '.join(role.value for role in cls)}")


_LABELS = {
    Role.VIEWER: "Viewer",
    Role.QC_ENGINEER: "QC engineer",
    Role.ESL_EXPERT: "ESL expert",
    Role.OPERATOR: "Operator",
    Role.ADMINISTRATOR: "Administrator",
}
