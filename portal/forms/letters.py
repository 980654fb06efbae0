"""What one wants to be told by Slack or mail."""

from typing import TYPE_CHECKING

from django import forms

from syncer.models import Letter, LetterChoice

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[LetterChoice]
else:
    ModelForm = forms.ModelForm


class LetterChoiceForm(ModelForm):
    class Meta:
        model = LetterChoice
        fields = [kind.value for kind in Letter.Kind]
