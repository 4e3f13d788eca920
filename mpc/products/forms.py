"""Forms of the inventory."""

from django import forms


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Product",
        help_text="One SAFE product or datastrip as a zip. It is read where it lies and never unpacked.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )
