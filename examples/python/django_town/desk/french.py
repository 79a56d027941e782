"""What grc says, in French. Its messages are for developers and in English; their codes are stable."""

from __future__ import annotations

import grc

_SAID = {
    "actor.unknown": "Cet agent n'est pas dans l'organisation publiée.",
    "assignee.agent": "Cet agent n'en fait pas partie.",
    "assignee.missing": "Choisissez à qui la confier.",
    "assignee.unknown": "Ce destinataire n'existe pas.",
    "channel.address": "On ne sait pas joindre le demandeur par ce canal : choisissez-en un autre ou complétez ses coordonnées.",
    "channel.unknown": "Choisissez un canal de la liste.",
    "command.empty": "Écrivez quelque chose.",
    "command.key-reused": "Ce formulaire a déjà servi : rechargez la page.",
    "field.control": "Ce texte contient des caractères invisibles : saisissez-le à nouveau.",
    "field.email": "Ce n'est pas une adresse électronique. Donnez-la sous la forme nom@exemple.fr.",
    "field.option": "Choisissez une réponse de la liste.",
    "field.phone": "Ce n'est pas un numéro de téléphone. Donnez-le sous la forme 06 39 98 12 34, ou avec l'indicatif du pays.",
    "field.required": "Il manque cette réponse.",
    "field.too-many": "Il y a trop de réponses.",
    "file.disguised": "L'extension de ce fichier n'est pas celle de son contenu : renommez-le.",
    "file.empty": "Ce fichier est vide.",
    "file.media": "Ce genre de fichier n'est pas accepté ici.",
    "file.program": "Les programmes et les pages web ne sont pas acceptés : joignez une image ou un document.",
    "file.too-large": "Ce fichier est trop lourd.",
    "message.unreachable": "On ne sait pas joindre le demandeur : laissez le message vide, ou complétez ses coordonnées.",
    "outcome.unknown": "Choisissez un résultat de la liste.",
    "party.answer": "Donnez les coordonnées que ce mode de réponse demande.",
    "party.required": "Il faut dire qui demande.",
    "permission.denied": "Vos droits ne permettent pas cette action.",
    "permission.field": "Ce champ ne vous est pas ouvert.",
    "place.address": "Donnez la rue, le code postal et la commune.",
    "request.closed": "Cette demande est close.",
    "request.open": "Cette demande n'est pas encore close.",
    "transition.late": "Le délai pour le faire est passé.",
    "transition.state": "Ce n'est pas possible à cette étape : rechargez la page.",
    "zone.unknown": "Choisissez un quartier de la liste.",
}
_WRONG_KIND = {
    "integer": "Donnez un nombre entier.",
    "amount": "Donnez un montant, par exemple 12,50.",
    "date": "Donnez un jour, par exemple 24/11/2026.",
    "boolean": "Répondez par oui ou par non.",
}
_ASKED = {
    "assignee": "Choisissez à qui la confier.",
    "outcome": "Dites ce qu'il en est résulté.",
    "message": "Écrivez au demandeur.",
    "note": "Laissez une note.",
}
_PARTS = {
    "state": "l'étape",
    "assignment": "l'affectation",
    "acceptability": "la recevabilité",
    "outcome": "le résultat",
    "message": "les messages",
}


def say(problem: grc.Problem, field: grc.FormField | None = None) -> str:
    """What is wrong and what to do, for who typed it. What is not known here is said as grc says it."""
    match problem.code:
        case "field.kind" if field is not None and field.kind in _WRONG_KIND:
            return _WRONG_KIND[field.kind]
        case "field.too-long" if field is not None and field.max is not None:
            return f"C'est trop long : {field.max} caractères au plus."
        case "field.range" if field is not None and field.min is not None and field.max is not None:
            return f"Donnez un nombre de {field.min} à {field.max}."
        case "transition.asks" if problem.path in _ASKED:
            return _ASKED[problem.path]
        case "transition.guard":
            # What must be so is only in the English text.
            return f"Une condition n'est pas remplie ({_PARTS.get(problem.path, problem.path)})."
    return _SAID.get(problem.code) or " : ".join(filter(None, [problem.message, problem.hint]))


def changed(conflict: grc.Conflict) -> str:
    """What somebody else changed."""
    return ", ".join(_PARTS.get(part, part.removeprefix("fields.")) for part in conflict.changed)


EVENTS = {
    "submitted": "Demande déposée",
    "moved": "Changement d'étape",
    "assigned": "Affectation",
    "corrected": "Correction",
    "assessed": "Recevabilité",
    "concluded": "Résultat",
    "confirmed": "Avis du demandeur",
    "messaged": "Message",
    "delivered": "Suite d'un envoi",
    "noted": "Note",
    "attached": "Fichier joint",
    "worked": "Temps passé",
    "served": "Intervention",
    "charged": "Dépense",
    "linked": "Lien",
    "held": "Conservation demandée",
    "released": "Fin de conservation",
    "erased": "Effacement",
    "anonymised": "Anonymisation",
}
ACTORS = {"citizen": "un habitant", "holder": "le demandeur", "timer": "le temps", "host": "le logiciel"}
DELIVERY = {
    None: "en attente d'envoi",
    "waiting": "en attente d'envoi",
    "sent": "envoyé",
    "delivered": "remis",
    "read": "lu",
    "said": "dit",
    "failed": "échec, nouvel essai prévu",
    "dead": "abandonné",
}
CONFIRMATIONS = {"satisfied": "Oui, c'est réglé", "unsatisfied": "Non, ce n'est pas réglé"}
