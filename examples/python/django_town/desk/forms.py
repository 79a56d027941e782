"""A citizen's form, made from the definition. Its inputs are named by the paths that grc names in a refusal."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import grc
from django import forms
from django.utils.datastructures import MultiValueDict

from desk.catalogue import named, text
from desk.french import say

# A path that is one thing for grc and several inputs here: its error is shown at the first.
_FIRST_INPUT = {
    "place": "place.street",
    "place.address": "place.street",
    "requester": "requester.name",
    "requester.address": "requester.street",
}


class RequestForm(forms.Form):
    """The form of a request type.

    It checks nothing itself. Texts are handed over as they were typed: grc reads numbers, days and yes or no from text,
    and answers with everything that is wrong at once, in one voice for all ways in.
    """

    def __init__(
        self,
        form: grc.Form,
        data: Any = None,
        files: MultiValueDict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files)
        self.type = form.type
        self.asked = {f"fields.{one.id}": one for one in form.fields}
        self._sets: list[tuple[str, list[str]]] = []
        # A second click, or a reload of the answer, sends the same key: grc then gives the first result again.
        self.fields["key"] = forms.CharField(widget=forms.HiddenInput, required=False, initial=_new_key)
        self._add_set("Votre demande", {name: _input(one) for name, one in self.asked.items()})
        if form.place != "none":
            place = _address("place")
            if form.zones:
                zones = [("", "Je ne sais pas"), *named(form.zones)]
                place["place.zone"] = forms.CharField(label="Quartier", widget=forms.Select(choices=zones))
            self._add_set("Où est-ce ?", place)
        answers = [("", "Ne pas me répondre"), *named(form.answers)]
        self._add_set(
            "Qui êtes-vous ?" if form.requester else "Qui êtes-vous ? (facultatif)",
            {
                "requester.given": _text("Prénom", autocomplete="given-name"),
                "requester.name": _text("Nom", autocomplete="family-name"),
                "requester.email": _text("Adresse électronique", autocomplete="email", type="email"),
                "requester.phone": _text("Téléphone", autocomplete="tel", type="tel"),
                **_address("requester", autocomplete=("street-address", "postal-code", "address-level2")),
                "requester.answer": forms.CharField(
                    label="Comment vous répondre", widget=forms.Select(choices=answers)
                ),
            },
        )
        for field in self.fields.values():
            # The first to be heard is grc, with all reasons at once; the browser is told by an attribute.
            field.required = False

    def _add_set(self, legend: str, inputs: dict[str, forms.Field]) -> None:
        self.fields.update(inputs)
        self._sets.append((legend, list(inputs)))

    def sets(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The inputs, by what they are about."""
        for legend, names in self._sets:
            yield legend, [self[name] for name in names]

    def submit(self, session: grc.Session, channel: str) -> grc.results.Submitted | None:
        """Hands the request in. Without an answer, what is wrong stands at the inputs."""
        if not self.is_valid():
            return None
        given: dict[str, Any] = self.cleaned_data
        try:
            files = self._stored(session, given)
            if self.errors:
                return None
            return session.submit(
                self.type,
                channel=channel,
                fields={
                    one.id: given[name]
                    for name, one in self.asked.items()
                    # Absent is what was not answered; False and 0 are answers.
                    if one.kind != grc.FieldKind.FILE and given[name] not in ("", [], None)
                },
                files=files,
                place=_place(given),
                requester=_requester(given),
                key=given["key"] or None,
            )
        except (grc.Refused, grc.NotPermitted) as refused:
            self.show(refused.problems)
            return None

    def _stored(self, session: grc.Session, given: dict[str, Any]) -> list[grc.StoredFile]:
        """Stores the files. What is stored and then not handed in is swept away by grc later."""
        out: list[grc.StoredFile] = []
        for name, one in self.asked.items():
            file = given[name] if one.kind == grc.FieldKind.FILE else None
            if file is not None:
                try:
                    out.append(session.store_file(file.name, file.file, field=one.id))
                except grc.Refused as refused:
                    for problem in refused.problems:
                        self.add_error(name, say(problem, one))
        return out

    def show(self, problems: Sequence[grc.Problem]) -> None:
        """Puts problems where they belong; what belongs nowhere goes to the top."""
        for problem in problems:
            name = _FIRST_INPUT.get(problem.path, problem.path)
            self.add_error(name if name in self.fields else None, say(problem, self.asked.get(problem.path)))


def _new_key() -> str:
    return secrets.token_urlsafe(24)


def _text(label: str, *, type: str = "text", **attrs: str) -> forms.CharField:
    return forms.CharField(label=label, strip=True, widget=forms.TextInput({"type": type, **attrs}))


def _address(of: str, autocomplete: tuple[str, str, str] = ("off", "off", "off")) -> dict[str, forms.Field]:
    labels = (("street", "Numéro et rue"), ("postcode", "Code postal"), ("town", "Commune"))
    return {
        f"{of}.{part}": _text(label, autocomplete=hint)
        for (part, label), hint in zip(labels, autocomplete, strict=True)
    }


def _input(field: grc.FormField) -> forms.Field:
    """The input for a field. Any kind that is not known here is asked for as a text."""
    attrs: dict[str, Any] = {"required": True} if field.required else {}
    label, options = text(field.label), named(field.options)
    match field.kind:
        case grc.FieldKind.FILE:
            attrs |= {"accept": ",".join(field.accept)} if field.accept else {}
            # Whether it is empty is for grc to say.
            return forms.FileField(label=label, widget=forms.FileInput(attrs), allow_empty_file=True)
        case grc.FieldKind.CHOICES:
            # Not `required`: a browser would want every box ticked.
            return forms.MultipleChoiceField(label=label, choices=options, widget=forms.CheckboxSelectMultiple)
        case grc.FieldKind.CHOICE:
            return forms.CharField(label=label, widget=forms.Select(attrs, choices=[("", "Choisissez"), *options]))
        case grc.FieldKind.BOOLEAN:
            yes_no = [("oui", "Oui"), ("non", "Non")]
            return forms.CharField(label=label, widget=forms.RadioSelect(attrs, choices=yes_no))
        case grc.FieldKind.LONG_TEXT:
            return forms.CharField(label=label, widget=forms.Textarea(attrs | {"rows": 5}))
        case grc.FieldKind.INTEGER:
            attrs |= {"inputmode": "numeric"}
        case grc.FieldKind.AMOUNT:
            attrs |= {"inputmode": "decimal"}
        case grc.FieldKind.DATE:
            attrs |= {"type": "date"}
        case grc.FieldKind.EMAIL:
            attrs |= {"type": "email"}
        case grc.FieldKind.PHONE:
            attrs |= {"type": "tel"}
    return forms.CharField(label=label, widget=forms.TextInput(attrs))


def _parts(given: dict[str, Any], of: str) -> tuple[str, str, str] | None:
    street, postcode, town = (str(given[f"{of}.{part}"]) for part in ("street", "postcode", "town"))
    return (street, postcode, town) if street or postcode or town else None


def _place(given: dict[str, Any]) -> grc.Place | None:
    if "place.street" not in given:
        return None
    address, zone = _parts(given, "place"), given.get("place.zone") or None
    return grc.Place(address=address, zone=zone) if address or zone else None


def _requester(given: dict[str, Any]) -> grc.Party | None:
    party = grc.Party(
        given=given["requester.given"] or None,
        family=given["requester.name"] or None,
        email=given["requester.email"] or None,
        phone=given["requester.phone"] or None,
        address=_parts(given, "requester"),
        answer_by=given["requester.answer"] or None,
    )
    return None if party == grc.Party() else party
