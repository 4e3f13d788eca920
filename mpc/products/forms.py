"""Forms of the inventory."""

from typing import Any

from django import forms
from django.conf import settings


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Product",
        help_text="One SAFE product or datastrip as a zip. It is read where it lies and never unpacked.",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={
            "required": "Choose a file first.",
            "empty": "The file is empty (0 bytes): it was not sent, or was cut short before.",
        },
        allow_empty_file=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The browser says at once what the server would refuse only after all of it was sent.
        self.fields["file"].widget.attrs["data-limit-mb"] = settings.MPC_UPLOAD_LIMIT_MB
