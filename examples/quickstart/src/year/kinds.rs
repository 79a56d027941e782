//! What a town of 20,000 is told of in a year, how often, and what becomes of it.
//!
//! Volumes, shares and delays are those of French towns of that size (Montauban 2019: 92 a year per 1,000 inhabitants,
//! waste and cleanliness 40 %, roads 30 %, lighting 13 %); weekdays and hours are those of Boston's open data of 2011.

/// A type of request, as the year generates it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) id: &'static str,
    /// Of a thousand requests.
    pub(super) share: u64,
    /// The head of the service, the team, and who is in it.
    pub(super) crew: &'static Crew,
    /// Half of them are closed in so many hours.
    pub(super) median: f64,
    /// In how many of a hundred an intervention is planned, and in how many of these something is bought.
    pub(super) site: u64,
    pub(super) buys: u64,
    /// The usual minutes of work, and the usual price in cents without VAT.
    pub(super) minutes: f64,
    pub(super) price: f64,
    pub(super) suppliers: &'static [&'static str],
    pub(super) outcome: &'static str,
    /// How much more or less there is of it in each month, January first; 10 is usual.
    pub(super) seasons: [u64; 12],
    pub(super) texts: &'static [&'static str],
}

/// Who deals with a type.
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) head: &'static str,
    pub(super) team: &'static str,
    pub(super) agents: &'static [&'static str],
}

const PLUMBERS: Crew = Crew { head: "a-03", team: "fontainiers", agents: &["a-08", "a-09"] };
const ROADS: Crew = Crew { head: "a-12", team: "chaussee", agents: &["a-21", "a-22"] };
const LIGHTS: Crew = Crew { head: "a-12", team: "electriciens", agents: &["a-23", "a-24"] };
const WASTE: Crew = Crew { head: "a-14", team: "collecte", agents: &["a-25", "a-26", "a-27"] };
const GARDENS: Crew = Crew { head: "a-16", team: "jardiniers", agents: &["a-28", "a-29"] };
const BUILDINGS: Crew = Crew { head: "a-16", team: "regie-batiments", agents: &["a-30", "a-31"] };

const DAY: f64 = 24.0;
const EVEN: [u64; 12] = [10; 12];

/// What is not said of each type.
const USUAL: Kind = Kind {
    id: "",
    share: 0,
    crew: &WASTE,
    median: 2.0 * DAY,
    site: 20,
    buys: 10,
    minutes: 40.0,
    price: 9_000.0,
    suppliers: &["net-vert"],
    outcome: "nettoye",
    seasons: EVEN,
    texts: &[],
};

/// The types.
pub(super) const KINDS: [Kind; 14] = [
    Kind {
        id: "depot-sauvage",
        share: 150,
        site: 35,
        buys: 15,
        outcome: "enleve",
        seasons: [8, 8, 10, 12, 12, 12, 12, 11, 11, 10, 8, 7],
        texts: &[
            "Matelas et cartons au pied des conteneurs",
            "Gravats le long du chemin",
            "Un canapé sur le trottoir",
        ],
        ..USUAL
    },
    Kind {
        id: "tag",
        share: 70,
        median: 4.0 * DAY,
        site: 25,
        minutes: 60.0,
        texts: &["Tag sur le mur de l'école", "Affiches collées sur l'abribus"],
        ..USUAL
    },
    Kind {
        id: "collecte-oubliee",
        share: 80,
        median: 1.5 * DAY,
        site: 5,
        outcome: "enleve",
        seasons: [12, 9, 9, 9, 11, 9, 9, 10, 9, 9, 9, 13],
        texts: &["Le bac jaune n'a pas été vidé", "Toute la rue a été oubliée mardi"],
        ..USUAL
    },
    Kind {
        id: "rue-sale",
        share: 100,
        seasons: [7, 7, 9, 10, 11, 12, 12, 10, 10, 12, 13, 8],
        texts: &["Feuilles glissantes sur le trottoir", "Verre cassé devant la halle", "Caniveau plein"],
        ..USUAL
    },
    Kind {
        id: "nid-de-poule",
        share: 130,
        crew: &ROADS,
        median: 15.0 * DAY,
        site: 70,
        buys: 45,
        minutes: 90.0,
        price: 24_000.0,
        suppliers: &["enrobes-de-l-ouest", "travaux-publics-martin"],
        outcome: "repare",
        seasons: [13, 16, 15, 12, 9, 8, 7, 6, 8, 9, 10, 11],
        texts: &["Trou dans la chaussée après la pluie", "Nid-de-poule sur la piste cyclable"],
    },
    Kind {
        id: "trottoir",
        share: 90,
        crew: &ROADS,
        median: 18.0 * DAY,
        site: 60,
        buys: 50,
        minutes: 150.0,
        price: 42_000.0,
        suppliers: &["travaux-publics-martin", "fonderie-du-bocage"],
        outcome: "repare",
        texts: &["Dalle descellée, une personne est tombée", "Racine qui soulève le trottoir"],
        ..USUAL
    },
    Kind {
        id: "signalisation",
        share: 80,
        crew: &ROADS,
        median: 13.0 * DAY,
        site: 45,
        buys: 40,
        minutes: 60.0,
        price: 15_000.0,
        suppliers: &["fonderie-du-bocage"],
        outcome: "repare",
        texts: &["Panneau plié", "Passage piéton effacé"],
        ..USUAL
    },
    Kind {
        id: "lampadaire",
        share: 100,
        crew: &LIGHTS,
        median: 7.0 * DAY,
        site: 65,
        buys: 55,
        minutes: 50.0,
        price: 11_000.0,
        suppliers: &["lumiere-services"],
        outcome: "repare",
        seasons: [14, 12, 10, 8, 7, 6, 6, 7, 9, 12, 14, 15],
        texts: &[
            "Lampadaire éteint depuis trois nuits",
            "Toute la rue est dans le noir",
            "Il clignote sans arrêt",
        ],
    },
    Kind {
        id: "feux-tricolores",
        share: 30,
        crew: &LIGHTS,
        median: 2.0 * DAY,
        site: 80,
        buys: 40,
        minutes: 70.0,
        price: 18_000.0,
        suppliers: &["lumiere-services"],
        outcome: "repare",
        texts: &["Feu piéton éteint", "Les feux sont à l'orange clignotant"],
        ..USUAL
    },
    Kind {
        id: "fuite-eau",
        share: 30,
        crew: &PLUMBERS,
        median: 1.0 * DAY,
        site: 85,
        buys: 60,
        minutes: 110.0,
        price: 38_000.0,
        suppliers: &["travaux-publics-martin", "fonderie-du-bocage"],
        outcome: "repare",
        seasons: [15, 12, 9, 8, 9, 11, 13, 12, 9, 8, 8, 11],
        texts: &["De l'eau sort du trottoir", "Fuite au pied du compteur de la rue"],
    },
    Kind {
        id: "avaloir",
        share: 50,
        crew: &PLUMBERS,
        median: 4.0 * DAY,
        site: 60,
        buys: 15,
        minutes: 45.0,
        price: 13_000.0,
        suppliers: &["travaux-publics-martin"],
        seasons: [9, 8, 8, 8, 9, 10, 9, 8, 10, 15, 17, 12],
        texts: &["L'avaloir déborde à chaque averse", "Grille bouchée par les feuilles"],
        ..USUAL
    },
    Kind {
        id: "arbre",
        share: 30,
        crew: &GARDENS,
        median: 4.0 * DAY,
        site: 65,
        buys: 30,
        minutes: 100.0,
        price: 45_000.0,
        suppliers: &["elagage-rouault"],
        outcome: "enleve",
        seasons: [14, 13, 11, 8, 8, 9, 9, 8, 9, 12, 14, 12],
        texts: &["Branche cassée au-dessus de l'aire de jeux", "Arbre penché après le vent"],
    },
    Kind {
        id: "espace-vert",
        share: 30,
        crew: &GARDENS,
        median: 9.0 * DAY,
        site: 40,
        minutes: 80.0,
        suppliers: &["elagage-rouault", "net-vert"],
        seasons: [4, 4, 8, 13, 17, 17, 14, 11, 9, 8, 5, 4],
        texts: &["Herbes hautes au carrefour", "Haie qui déborde sur le trottoir"],
        ..USUAL
    },
    Kind {
        id: "batiment-public",
        share: 30,
        crew: &BUILDINGS,
        median: 30.0 * DAY,
        site: 70,
        buys: 55,
        minutes: 140.0,
        price: 52_000.0,
        suppliers: &["menuiserie-le-goff"],
        outcome: "repare",
        texts: &["Porte du gymnase qui ne ferme plus", "Fuite dans le toit de la médiathèque"],
        ..USUAL
    },
];

/// Which other type may be dealt with in the same intervention: of another family, with the same head.
pub(super) fn partner(id: &str) -> Option<&'static str> {
    match id {
        "nid-de-poule" | "trottoir" => Some("lampadaire"),
        "arbre" => Some("batiment-public"),
        _ => None,
    }
}

/// The kind of an id.
pub(super) fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// Openings by weekday, Monday first (Boston, second half of 2011).
pub(super) const WEEKDAYS: [u64; 7] = [10_965, 10_921, 11_090, 9_921, 9_279, 2_861, 3_214];

/// Openings by hour (the same).
pub(super) const HOURS: [(u32, u64); 24] = [
    (0, 266),
    (1, 162),
    (2, 116),
    (3, 107),
    (4, 87),
    (5, 178),
    (6, 593),
    (7, 2_089),
    (8, 4_210),
    (9, 6_794),
    (10, 6_959),
    (11, 5_871),
    (12, 5_182),
    (13, 4_868),
    (14, 5_208),
    (15, 4_420),
    (16, 2_806),
    (17, 2_046),
    (18, 1_458),
    (19, 1_279),
    (20, 1_097),
    (21, 964),
    (22, 919),
    (23, 572),
];

/// The channels and their weights at the beginning of the year and at its end: the application grows.
pub(super) const CHANNELS: [(&str, u64, u64); 6] = [
    ("telephone", 64, 48),
    ("appli", 13, 29),
    ("site", 14, 15),
    ("courriel", 14, 12),
    ("guichet", 10, 8),
    ("courrier", 4, 3),
];

/// Whether somebody must be at the desk for it.
pub(super) fn is_of_office_hours(channel: &str) -> bool {
    matches!(channel, "telephone" | "guichet" | "courrier")
}

pub(super) const GIVEN: [&str; 20] = [
    "Anne", "Yann", "Marie", "Karim", "Sophie", "Luc", "Awa", "Pierre", "Nadine", "Hugo", "Fatou", "Jean",
    "Lina", "Marc", "Chantal", "Ahmed", "Julie", "Tom", "Monique", "Samir",
];
pub(super) const FAMILY: [&str; 20] = [
    "Martin", "Morel", "Le Gall", "Diallo", "Bernard", "Petit", "Robin", "Nguyen", "Garnier", "Lefort",
    "Haddad", "Roussel", "Caron", "Picard", "Renard", "Benali", "Colin", "Guyot", "Tanguy", "Masson",
];
pub(super) const STREETS: [&str; 16] = [
    "rue des Lilas",
    "rue de la Gare",
    "avenue de la Liberté",
    "place de la Mairie",
    "rue du Moulin",
    "chemin des Prés",
    "rue Victor-Hugo",
    "boulevard de la Rivière",
    "rue de l'École",
    "impasse du Four",
    "rue du Stade",
    "allée des Tilleuls",
    "route de Rennes",
    "quai des Tanneurs",
    "rue de la Halle",
    "chemin de la Croix",
];
pub(super) const ZONES: [(&str, u64); 4] =
    [("centre", 45), ("bords-de-riviere", 20), ("plateau", 25), ("hameaux", 10)];
