//! What the story tells, wherever its database is.

use std::path::Path;

/// Looks for every turn of it.
pub(crate) fn check(text: &str) {
    for line in [
        "La base : ",
        "code `field.phone`, chemin `requester.phone`",
        "Ce que Claire dicte à Anne : son code de suivi, ",
        "cette demande n'existe pas",
        "✗ Rejeter",
        "sms au 06 39 98 12 34",
        "pièce jointe : fuite.png (image/png",
        "Marc planifie l'intervention",
        "par : Fontainiers, Travaux publics Martin ; durée prévue : 90 min",
        "consigne : Prendre le collier de 60",
        "temps : 75 min, 52,50 €",
        "140,00 € HT + 28,00 € de TVA, facture F-77",
        "75 min pour 90 prévues, 220,50 € pour 250,00 € prévus",
        "Il n'entre pas de montants",
        "votre demande « Fuite d'eau sur la voie publique » est enregistrée. Code de suivi : ",
        "Votre signalement est réglé (Réparé). La fuite est réparée. Merci de votre appel.",
        "Ce n'est pas réglé",
        "deux ne la prennent jamais",
        "« Je suis sur le chantier de la place jusqu'à ce soir. »",
        "Collier resserré",
        "l'avis d'Anne (satisfied)",
        "nid-de-poule (poids 2) : 57 min, 223,50 €",
        "lampadaire (poids 1) : 28 min, 111,75 €",
        "la somme des parts : 335,25 €",
        "a fini l'intervention « Fouille, joint changé, essai d'eau sans fuite. »",
        "3 demandes : 2 ouvertes, 1 closes",
        "1 demande anonymisée, 2 effacements dont les clés sont détruites",
        "Le code de suivi d'Anne ne mène plus nulle part.",
        "Les chiffres sont les mêmes qu'avant",
        "--retention-at",
    ] {
        assert!(text.contains(line), "`{line}` is not in:\n{text}");
    }
    assert!(!text.contains("défaut.") && !text.contains("  ! "), "{text}");
    assert_eq!(text.matches(", 0 problème").count(), 2, "{text}");
}

/// Looks at the work order that it writes.
pub(crate) fn check_order(path: &Path) {
    let order = std::fs::read_to_string(path).unwrap();
    for part in ["12 rue des Lilas", "06 39 98 12 34", "Prendre le collier de 60", "Fontainiers"] {
        assert!(order.contains(part), "`{part}` is not on the work order");
    }
    assert!(!order.contains("A1234") && !order.contains("example.org"), "not for the team");
}
