//! Definitions: every rule, and every problem at once.

use grc_core::definition::{Definition, Finding};
use std::{fmt::Write as _, path::Path};

/// A definition without a fault, which the cases below break one at a time.
const BASE: &str = include_str!("../definitions/base.toml");

/// What to look for in [`BASE`] (empty: the end), what to write instead with `#!` on the line that the finding must
/// name, and the code and path of the only finding.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    // Reading.
    (
        "custodian = \"chef\"",
        "custodian = \"chef\"\ncutodian = \"x\" #!",
        "unknown-key",
        "organisation.cutodian",
    ),
    ("id = \"texte\"\nlabel", "id = \"texte\"\nlable #!\n", "syntax", ""),
    ("kind = \"date\"", "kind = \"dat\" #!", "unknown-name", "procedure.fuite.field[4].kind"),
    ("label = \"Ville\"\ntime", "label = 5 #!\ntime", "type", "organisation.label"),
    (
        "label = { fr = \"Fuite\", en = \"Leak\" }",
        "label = { fr = 5 } #!",
        "type",
        "procedure.fuite.label.fr",
    ),
    ("target = { days = 2 }", "target = { days = -2 } #!", "type", "procedure.fuite.target.days"),
    ("target = { days = 2 }", "target = { days = 2.5 } #!", "type", "procedure.fuite.target.days"),
    ("target = { days = 2 }", "target = [1, 2] #!", "type", "procedure.fuite.target"),
    ("target = { days = 2 }", "target = 2026-11-24T10:00:00Z #!", "type", "procedure.fuite.target"),
    ("from = [\"finie\"]", "from = \"finie\" #!", "type", "procedure.fuite.transition[2].from"),
    ("required = true", "required = \"yes\" #!", "type", "procedure.fuite.field[0].required"),
    (
        "[[procedure.fuite.field]]\nid = \"jour\"",
        "[[procedure.fuite.field]] #!",
        "missing",
        "procedure.fuite.field[4].id",
    ),
    ("id = \"jour\"", "id = \"Jour J\" #!", "identifier", "procedure.fuite.field[4].id"),
    (
        "time-zone = \"Europe/Paris\"",
        "time-zone = \"Europe/Rennes\" #!",
        "time-zone",
        "organisation.time-zone",
    ),
    ("when = true", "when = { \"+\" = [1, 2] } #!", "condition", "procedure.fuite.transition[1].when"),
    (
        "",
        "[procedure.\"Une Fuite\"] #!\nlabel = \"x\"\nworkflow = \"commun\"\n",
        "identifier",
        "procedure.\"Une Fuite\"",
    ),
    ("", "[procedurs] #!\n", "unknown-key", "procedurs"),
    ("", "[autre] #!\nx = 1\n", "unknown-key", "autre"),
    // What follows from a fault is not another.
    ("to = [\"chef\"]", "to = [\"chfe\"] #!", "unknown-name", "organisation.grant[0].to[0]"),
    (
        "may = [\"see\", \"submit\", \"handle\"]",
        "may = [\"handle\", \"sea\"] #!",
        "unknown-name",
        "organisation.grant[0].may[1]",
    ),
    ("id = \"en-cours\"", "id = 5 #!", "type", "procedure.fuite.state[1].id"),
    ("id = \"chef\"", "id = [] #!", "type", "organisation.role[0].id"),
    (
        "phase = \"closed\" },\n]",
        "phase = \"close\" }, #!\n]",
        "unknown-name",
        "workflow.commun.state[1].phase",
    ),
    (
        "state = [\n  { id = \"neuf\", label = \"Neuf\", phase = \"received\" },\n  { id = \"fini\", label = \"Fini\", phase = \"closed\" },\n]",
        "state = 5 #!",
        "type",
        "workflow.commun.state",
    ),
    // Names.
    ("custodian = \"chef\"", "custodian = \"chefs\" #!", "unknown-name", "organisation.custodian"),
    ("entity = \"ville\" }]", "entity = \"vile\" }] #!", "unknown-name", "organisation.service[0].entity"),
    ("service = \"eau\" }]", "service = \"au\" }] #!", "unknown-name", "organisation.team[0].service"),
    ("roles = [\"chef\"]", "roles = [\"cheff\"]", "unknown-name", "organisation.agent[0].roles[0]"),
    ("services = [\"eau\"]", "services = [\"o\"]", "unknown-name", "organisation.agent[0].services[0]"),
    ("teams = [\"equipe\"]", "teams = [\"o\"]", "unknown-name", "organisation.agent[0].teams[0]"),
    ("to = [\"releve\"]", "to = [\"releve\", \"o\"] #!", "unknown-name", "organisation.grant[1].to[1]"),
    (
        "to = [\"releve\"]",
        "to = [\"releve\", \"@asignee\"] #!",
        "unknown-name",
        "organisation.grant[1].to[1]",
    ),
    (
        "to = [\"releve\"]",
        "to = [\"releve\", \"@citizen\"] #!",
        "citizen-not-known",
        "organisation.grant[1].to[1]",
    ),
    (
        "types = [\"fuite\"]",
        "types = [\"fuite\", \"o\"] #!",
        "unknown-name",
        "organisation.grant[1].types[1]",
    ),
    (
        "types = [\"fuite\"]",
        "families = [\"rue\", \"o\"] #!",
        "unknown-name",
        "organisation.grant[1].families[1]",
    ),
    (
        "may = [\"see\"]\ntypes = [\"fuite\"]\nscope = \"team\"",
        "may = [] #!",
        "empty",
        "organisation.grant[1].may",
    ),
    ("family = \"rue\"", "family = \"rues\" #!", "unknown-name", "procedure.fuite.family"),
    (
        "service = \"eau\"\nchannels",
        "service = \"feu\" #!\nchannels",
        "unknown-name",
        "procedure.fuite.service",
    ),
    ("channels = [\"web\"]", "channels = [\"wap\"] #!", "unknown-name", "procedure.fuite.channels[0]"),
    (
        "channels = [\"web\"]",
        "channels = [\"sms\"] #!",
        "channel-not-incoming",
        "procedure.fuite.channels[0]",
    ),
    ("channels = [\"web\"]", "channels = [] #!", "empty", "procedure.fuite.channels"),
    ("workflow = \"commun\"", "workflow = \"comun\" #!", "unknown-name", "procedure.simple.workflow"),
    (
        "read = [\"chef\"]\n\n[[procedure.fuite.state",
        "read = [\"chef\", \"che\"] #!\n\n[[procedure.fuite.state",
        "unknown-name",
        "procedure.fuite.field[7].read[1]",
    ),
    (
        "note = { read = [\"chef\"] }",
        "note = { write = [\"o\"] } #!",
        "unknown-name",
        "procedure.fuite.rights.note.write[0]",
    ),
    (
        "note = { read = [\"chef\"] }",
        "\"requestor.phone\" = { read = [\"chef\"] } #!",
        "unknown-name",
        "procedure.fuite.rights.requestor.phone",
    ),
    (
        "to = \"recue\"\nby = [\"chef\"]",
        "to = \"recue\"\nby = [\"chef\", \"o\"] #!",
        "unknown-name",
        "procedure.fuite.transition[2].by[1]",
    ),
    (
        "to = \"recue\"\nby = [\"chef\"]",
        "to = \"recue\"\nby = [\"chef\", \"@citizen\"] #!",
        "citizen-not-known",
        "procedure.fuite.transition[2].by[1]",
    ),
    (
        "when = true",
        "requires = [\"tekste\"] #!",
        "unknown-name",
        "procedure.fuite.transition[1].requires[0]",
    ),
    (
        "when = true",
        "discloses = [\"tekste\"] #!",
        "unknown-name",
        "procedure.fuite.transition[1].discloses[0]",
    ),
    (
        "label = \"Relève\"",
        "label = \"Relève\"\n[[organisation.role]]\nid = \"chef\" #!\nlabel = \"Chef\"",
        "duplicate-id",
        "organisation.role[2].id",
    ),
    ("id = \"jour\"", "id = \"nombre\" #!", "duplicate-id", "procedure.fuite.field[4].id"),
    (
        "{ id = \"b\", label = \"B\" }]",
        "{ id = \"a\", label = \"B\" }] #!",
        "duplicate-id",
        "procedure.fuite.field[1].option[1].id",
    ),
    ("id = \"rouvrir\"", "id = \"finir\" #!", "duplicate-id", "procedure.fuite.transition[2].id"),
    // Graph.
    (
        "workflow = \"commun\"",
        "workflow = \"commun\" #!\ninitial = \"recue\"",
        "workflow-and-states",
        "procedure.simple.workflow",
    ),
    (
        "[procedure.simple]\nlabel = \"Simple\"\nworkflow = \"commun\"",
        "[procedure.simple] #!\nlabel = \"Simple\"",
        "workflow-missing",
        "procedure.simple",
    ),
    ("initial = \"recue\"", "initial = \"recu\" #!", "no-initial-state", "procedure.fuite.initial"),
    (
        "[procedure.fuite]\nlabel = { fr = \"Fuite\", en = \"Leak\" }\nfamily = \"rue\"\nservice = \"eau\"\nchannels = [\"web\"]\ntarget = { days = 2 }\nretention = { months = 2 }\ninitial = \"recue\"",
        "[procedure.fuite] #!\nlabel = \"Fuite\"",
        "no-initial-state",
        "procedure.fuite.initial",
    ),
    (
        "  { id = \"fini\", label = \"Fini\", phase = \"closed\" },\n]",
        "  { id = \"fini\", label = \"Fini\", phase = \"waiting\" },\n]",
        "no-final-state",
        "workflow.commun",
    ),
    (
        "[[procedure.fuite.transition]]\nid = \"prendre\"",
        "[[procedure.fuite.state]] #!\nid = \"seul\"\nlabel = \"Seul\"\nphase = \"closed\"\n\n[[procedure.fuite.transition]]\nid = \"prendre\"",
        "unreachable-state",
        "procedure.fuite.state[3]",
    ),
    (
        "",
        "[[procedure.fuite.state]] #!\nid = \"piege\"\nlabel = \"Piège\"\nphase = \"waiting\"\n[[procedure.fuite.transition]]\nid = \"pieger\"\nlabel = \"Piéger\"\nfrom = [\"recue\"]\nto = \"piege\"\nby = [\"chef\"]\n",
        "trap-state",
        "procedure.fuite.state[3]",
    ),
    (
        "[[procedure.fuite.transition]]\nid = \"rouvrir\"\nlabel = \"Rouvrir\"\nfrom = [\"finie\"]\nto = \"recue\"\nby = [\"chef\"]\nreopens = true",
        "[[procedure.fuite.transition]] #!\nid = \"rouvrir\"\nlabel = \"Rouvrir\"\nfrom = [\"finie\"]\nto = \"recue\"\nby = [\"chef\"]",
        "final-with-exits",
        "procedure.fuite.transition[2]",
    ),
    ("when = true", "reopens = true #!", "reopens-nothing", "procedure.fuite.transition[1].reopens"),
    (
        "from = [\"recue\", \"en-cours\"]",
        "from = [\"recue\", \"en-cour\"] #!",
        "dangling-source",
        "procedure.fuite.transition[1].from[1]",
    ),
    ("to = \"recue\"", "to = \"reçue\" #!", "identifier", "procedure.fuite.transition[2].to"),
    ("to = \"recue\"", "to = \"recu\" #!", "dangling-target", "procedure.fuite.transition[2].to"),
    ("from = [\"finie\"]", "from = [] #!", "empty", "procedure.fuite.transition[2].from"),
    (
        "",
        "[[procedure.fuite.transition]] #!\nid = \"encore\"\nlabel = \"Encore\"\nfrom = [\"recue\"]\nto = \"en-cours\"\nby = [\"chef\"]\n",
        "duplicate-transition",
        "procedure.fuite.transition[4]",
    ),
    (
        "after = { days = 30 }",
        "after = { days = 0 } #!",
        "timer-without-duration",
        "procedure.fuite.transition[3].after",
    ),
    (
        "after = { days = 30 }",
        "after = { months = 5000 } #!",
        "delay-too-long",
        "procedure.fuite.transition[3].after",
    ),
    (
        "after = { days = 30 }",
        "after = { days = 30 }\nasks = [\"message\"] #!",
        "timer-asks",
        "procedure.fuite.transition[3].asks",
    ),
    (
        "from = [\"en-cours\"]\nto = \"finie\"",
        "from = [\"en-cours\"]\nto = \"en-cours\" #!",
        "timer-loop",
        "procedure.fuite.transition[3].to",
    ),
    // Rights.
    ("to = \"recue\"\nby = [\"chef\"]", "to = \"recue\"", "no-one-may-fire", "procedure.fuite.transition[2]"),
    ("by = [\"chef\"] },", "by = [\"releve\"] }, #!", "no-one-may-fire", "workflow.commun.transition[0].by"),
    (
        "by = [\"chef\"] },",
        "by = [\"@requester\"] }, #!",
        "no-one-may-fire",
        "workflow.commun.transition[0].by",
    ),
    (
        "[procedure.simple]",
        "[procedure.autre] #!\nlabel = \"Autre\"\nworkflow = \"commun\"\nfamily = \"rue\"\n[procedure.simple]",
        "",
        "",
    ),
    (
        "may = [\"see\", \"submit\", \"handle\"]",
        "may = [\"see\", \"submit\", \"handle\"]\ntypes = [\"fuite\"]\n[[organisation.grant]]\nto = [\"chef\"]\nmay = [\"submit\"]",
        "no-one-may-see",
        "procedure.simple",
    ),
    (
        "may = [\"see\", \"submit\", \"handle\"]",
        "may = [\"see\", \"handle\"]\n[[organisation.grant]]\nto = [\"chef\"]\nmay = [\"submit\"]\ntypes = [\"fuite\"]",
        "no-one-may-submit",
        "procedure.simple",
    ),
    (
        "required = true",
        "required = true\nwrite = [\"releve\"]",
        "required-not-writable",
        "procedure.fuite.field[0]",
    ),
    (
        "kind = \"date\"",
        "kind = \"date\"\nread = []\n[[procedure.fuite.transition]]\nid = \"z\"\nlabel = \"Z\"\nfrom = [\"en-cours\"]\nto = \"recue\"\nby = [\"chef\"]\nrequires = [\"jour\"] #!",
        "required-not-writable",
        "procedure.fuite.transition[0].requires[0]",
    ),
    ("to = [\"releve\"]", "to = [\"@team\"]", "scope-without-role", "organisation.grant[1].scope"),
    ("may = [\"see\"]\ntypes", "may = [\"submit\"]\ntypes", "scope-of-submit", "organisation.grant[1].scope"),
    // Fields.
    (
        "personal = \"no\"\nrequired = true",
        "required = true",
        "free-text-without-class",
        "procedure.fuite.field[0]",
    ),
    (
        "kind = \"choice\"\noption = [{ id = \"a\", label = \"A\" }, { id = \"b\", label = \"B\" }]",
        "kind = \"choice\"",
        "options-missing",
        "procedure.fuite.field[1]",
    ),
    (
        "kind = \"integer\"\n\n",
        "kind = \"integer\"\noption = [{ id = \"a\", label = \"A\" }] #!\n\n",
        "options-not-allowed",
        "procedure.fuite.field[3].option",
    ),
    (
        "kind = \"integer\"\n\n",
        "kind = \"integer\"\nmin = 5 #!\nmax = 4\n\n",
        "min-above-max",
        "procedure.fuite.field[3].min",
    ),
    (
        "kind = \"boolean\"",
        "kind = \"boolean\"\nmin = 5 #!",
        "limit-not-allowed",
        "procedure.fuite.field[5].min",
    ),
    ("kind = \"text\"", "kind = \"text\"\nmax = -1 #!", "limit-not-allowed", "procedure.fuite.field[0].max"),
    (
        "kind = \"boolean\"",
        "kind = \"boolean\"\naccept = [\"image/png\"] #!",
        "accept-not-allowed",
        "procedure.fuite.field[5].accept",
    ),
    (
        "kind = \"file\"",
        "kind = \"file\"\naccept = [\"jpeg\"] #!",
        "media-type",
        "procedure.fuite.field[6].accept[0]",
    ),
    (
        "kind = \"file\"",
        "kind = \"file\"\nindexed = true #!",
        "index-not-possible",
        "procedure.fuite.field[6].indexed",
    ),
    // Conditions.
    (
        "when = true",
        "when = { \"==\" = [{ var = \"form.tekste\" }, \"x\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"!!\" = { var = \"form.tekste\" } } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"form.texte\" }, 1] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"form.choix\" }, \"c\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"form.choix\" }, \"a\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"in\" = [{ var = \"form.choix\" }, [\"a\", true]] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"form.liste\" }, \"a\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"in\" = [\"z\", { var = \"form.liste\" }] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"form.nombre\" }, \"10\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"form.jour\" }, \"1/2/2026\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"form.oui\" }, true] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"form.photo\" }, \"x\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"state\" }, 1] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"state\" }, \"recue\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"<\" = [{ var = \"opened\" }, \"2026-01-01\"] } #!",
        "guard-type",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"state\" }, \"recu\"] } #!",
        "unknown-name",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"phase\" }, \"recue\"] } #!",
        "unknown-name",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"in\" = [{ var = \"type\" }, [\"fuite\", \"fuites\"]] } #!",
        "unknown-name",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"==\" = [{ var = \"acceptability\" }, \"non\"] } #!",
        "unknown-name",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"!\" = { relation = \"@boss\" } } #!",
        "unknown-name",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \"and\" = [true, { \"!\" = true }] } #!",
        "guard-never",
        "procedure.fuite.transition[1].when",
    ),
    (
        "when = true",
        "when = { \">\" = [{ var = \"form.secret\" }, 1] } #!",
        "guard-reads-hidden",
        "procedure.fuite.transition[1].when",
    ),
    (
        "after = { days = 30 }",
        "after = { days = 30 }\nwhen = { \">\" = [{ var = \"form.secret\" }, 1] } #!",
        "guard-reads-hidden",
        "procedure.fuite.transition[3].when",
    ),
    // Messages.
    (
        "id = \"web\"\nlabel = \"Web\"",
        "id = \"web\"\nlabel = \"Web\"\nmax = 0 #!",
        "channel-max",
        "organisation.channel[0].max",
    ),
    ("acknowledge = \"accuse\"", "acknowledge = \"acuse\" #!", "unknown-name", "procedure.fuite.acknowledge"),
    ("tell = \"accuse\"", "tell = \"acuse\" #!", "unknown-name", "procedure.fuite.transition[0].tell"),
    (
        "[organisation.template.channel.sms]",
        "[organisation.template.channel.sns] #!",
        "unknown-name",
        "organisation.template[0].channel.sns",
    ),
    (
        "[organisation.template.channel.sms]",
        "[organisation.template.channel.web] #!",
        "channel-not-answering",
        "organisation.template[0].channel.web",
    ),
    (
        "text = \"{{ type }}\"",
        "texte = \"{{ type }}\" #!",
        "unknown-key",
        "organisation.template[0].channel.sms.texte",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \" \" #!",
        "template-empty",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{{ type \" #!",
        "template-syntax",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{% include 'x' %}\" #!",
        "template-syntax",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{% if place %}{{ stat }}{% endif %}\" #!",
        "template-variable-unknown",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{{ fields.nonbre }} {{ fields.photo }}\" #!",
        "template-variable-unknown",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{% set f = fields %}{{ f.autre }}\" #!",
        "template-variable-unknown",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "subject = \"Votre demande {{ code }}\"",
        "subject = \"{{ cod }}\" #!",
        "template-variable-unknown",
        "organisation.template[0].subject",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{% if 1 == 2 %}{{ fields.secret }}{% endif %}\" #!",
        "template-shows-hidden",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "note = { read = [\"chef\"] }",
        "note = { read = [\"chef\"] }\ncode = { read = [\"chef\"] }",
        "template-shows-hidden",
        "organisation.template[0].subject",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}\" #!",
        "template-endless",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "text = \"{{ type }}\"",
        "text = \"{{ type|devine }}\" #!",
        "template-failed",
        "organisation.template[0].channel.sms.text",
    ),
    (
        "answer = \"phone\"",
        "answer = \"phone\"\nmax = 20\n[[organisation.channel]]\nid = \"lettre\"\nlabel = \"L\"\nanswer = \"address\"\nmax = 2",
        "template-too-long",
        "organisation.template[0].text",
    ),
    // Limits.
    (
        "custodian = \"chef\"",
        "custodian = \"chef\"\nphone-code = 0 #!",
        "phone-code",
        "organisation.phone-code",
    ),
    (
        "custodian = \"chef\"",
        "custodian = \"chef\"\nlanguage = \"français\" #!",
        "language",
        "organisation.language",
    ),
    (
        "id = \"web\"\nlabel = \"Web\"",
        "id = \"web\"\nlabel = { en = \"Web\" } #!",
        "label-missing",
        "organisation.channel[0].label",
    ),
    (
        "id = \"web\"\nlabel = \"Web\"",
        "id = \"web\"\nlabel = \" \" #!",
        "label-missing",
        "organisation.channel[0].label",
    ),
    (
        "phase = \"in-progress\"",
        "phase = \"in-progress\"\nstage = { en = \"x\" } #!",
        "label-missing",
        "procedure.fuite.state[1].stage",
    ),
    ("en = \"Leak\" }", "Anglais = \"Leak\" } #!", "language", "procedure.fuite.label.\"Anglais\""),
    ("target = { days = 2 }", "target = { days = 0 } #!", "target-missing", "procedure.fuite.target"),
    (
        "target = { days = 2 }",
        "promises = { response = { days = 0 } } #!",
        "target-missing",
        "procedure.fuite.promises.response",
    ),
    (
        "target = { days = 2 }",
        "promises = { assignment = { months = 5000 } } #!",
        "delay-too-long",
        "procedure.fuite.promises.assignment",
    ),
    (
        "target = { days = 2 }",
        "promises = { intervention = [1] } #!",
        "type",
        "procedure.fuite.promises.intervention",
    ),
    (
        "after = { days = 30 }",
        "after = { days = 30 }\nwithin = { days = 30 } #!",
        "within-without-reopens",
        "procedure.fuite.transition[3].within",
    ),
    (
        "reopens = true",
        "reopens = true\nwithin = { days = 0 } #!",
        "within-missing",
        "procedure.fuite.transition[2].within",
    ),
    ("retention = { months = 2 }", "retention = { } #!", "retention-missing", "procedure.fuite.retention"),
];

fn load(text: &str) -> Result<Definition, Vec<Finding>> {
    Definition::from_files([("ville.toml", text)]).map_err(|error| error.findings().to_vec())
}

fn show(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

#[test]
fn the_base_has_no_fault() {
    load(BASE).unwrap_or_else(|findings| panic!("{}", show(&findings)));
}

#[test]
fn each_rule_finds_its_fault_and_nothing_else() {
    let mut failures = String::new();
    for (find, replace, code, path) in CASES {
        let text = if find.is_empty() {
            format!("{BASE}\n{replace}")
        } else {
            assert_eq!(BASE.matches(find).count().min(1), 1, "`{find}` is not in the base");
            BASE.replacen(find, replace, 1)
        };
        let line = text.lines().position(|line| line.ends_with("#!")).map(|line| line + 1);
        let text = text.replace("#!", "#");
        let findings = load(&text).err().unwrap_or_default();
        if code.is_empty() {
            if !findings.is_empty() {
                let _ = writeln!(failures, "{replace}\n=> should load{}", show(&findings));
            }
            continue;
        }
        let right = findings.len() == 1
            && findings.iter().all(|finding| {
                finding.code == *code
                    && finding.path == *path
                    && (line.is_none() || finding.line == line)
                    && finding.line.is_some()
                    && finding.file.as_deref() == Some("ville.toml")
            });
        if !right {
            let _ =
                writeln!(failures, "{replace}\n=> wanted {code} at {path}, line {line:?}{}", show(&findings));
        }
        for finding in &findings {
            let sentence = &finding.message;
            let plain = !sentence.ends_with('.') && !sentence.starts_with(char::is_uppercase);
            let names = ["u32", "i64", "struct", "Vec", "enum", "variant", "sequence", "map"];
            let ours = !names.iter().any(|name| sentence.split(' ').any(|word| word == *name));
            if !(plain || sentence.starts_with("TOML")) || !ours {
                let _ = writeln!(failures, "not how we speak: {sentence}");
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn hints_name_what_was_meant() {
    for (find, replace, hint) in [
        ("custodian = \"chef\"", "custodian = \"chfe\"", "did you mean `chef`?"),
        ("when = true", "whem = true", "did you mean `when`?"),
        ("kind = \"date\"", "kind = \"dat\"", "did you mean `date`?"),
        ("to = \"recue\"", "to = \"recu\"", "did you mean `recue`?"),
        ("to = [\"releve\"]", "to = [\"releve\", \"requester\"]", "did you mean `@requester`?"),
        ("id = \"jour\"", "id = \"Jour J\"", "for example `jour-j`"),
        ("[procedure.simple]", "[procedur.simple]", "did you mean `procedure`?"),
        ("\"{{ type }}\"", "\"{{ typ }}\"", "did you mean `type`?"),
        ("\"{{ type }}\"", "\"{{ fields.text }}\"", "did you mean `fields.texte`?"),
    ] {
        let findings = load(&BASE.replacen(find, replace, 1)).unwrap_err();
        let hints: Vec<_> = findings.iter().filter_map(|finding| finding.hint.as_deref()).collect();
        assert_eq!(hints, [hint], "{}", show(&findings));
    }
}

#[test]
fn ten_faults_in_three_files_are_ten_findings() {
    let cut = BASE.find("[workflow.commun]").unwrap();
    let (town, rest) = BASE.split_at(cut);
    let cut = rest.find("[procedure.fuite]").unwrap();
    let (shared, leak) = rest.split_at(cut);
    let change = |text: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(text.to_owned(), |text, (find, replace)| {
            assert!(text.contains(find), "{find}");
            text.replacen(find, replace, 1)
        })
    };
    let town = change(
        town,
        &[
            ("custodian = \"chef\"", "custodian = \"chef\"\ncouleur = \"bleu\""),
            ("time-zone = \"Europe/Paris\"", "time-zone = \"Paris\""),
            ("may = [\"see\"]", "may = [\"sea\"]"),
        ],
    );
    let shared =
        change(shared, &[("to = \"fini\"", "to = \"finni\""), ("label = \"Simple\"", "label = \"\"")]);
    let leak = change(
        leak,
        &[
            ("family = \"rue\"", "family = \"ruelle\""),
            ("personal = \"no\"\n", ""),
            ("kind = \"integer\"", "kind = \"integer\"\nmin = 3\nmax = \"2\""),
            ("kind = \"boolean\"\n", ""),
            ("to = \"recue\"", "to = \"nulle-part\""),
        ],
    );
    let files = [("a.toml", town), ("b.toml", shared), ("c.toml", leak)];
    let error = Definition::from_files(files).unwrap_err();
    let found: Vec<(&str, &str)> =
        error.findings().iter().map(|f| (f.file.as_deref().unwrap_or("?"), f.code)).collect();
    assert_eq!(
        found,
        [
            ("a.toml", "time-zone"),
            ("a.toml", "unknown-key"),
            ("a.toml", "unknown-name"),
            ("b.toml", "dangling-target"),
            ("b.toml", "label-missing"),
            ("c.toml", "unknown-name"),
            ("c.toml", "free-text-without-class"),
            ("c.toml", "type"),
            ("c.toml", "missing"),
            ("c.toml", "dangling-target"),
        ],
        "{error}"
    );
}

#[test]
fn three_syntax_errors_are_three_findings() {
    let text = "[organisation]\nlabel = \"x\nphone-code = = 3\nlanguage = \"fr\"\ncustodian chef\n";
    let findings = load(text).unwrap_err();
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.line)).collect();
    assert_eq!(found, [("syntax", Some(2)), ("syntax", Some(3)), ("syntax", Some(5))], "{}", show(&findings));

    let error =
        Definition::from_files([("x.json", "{\n  \"organisation\": {\n    \"label\": }\n")]).unwrap_err();
    assert_eq!(error.findings()[0].line, Some(3));
    assert_eq!(error.findings()[0].code, "syntax");
}

#[test]
fn what_is_written_twice_is_refused() {
    let again =
        "[procedure.fuite]\nlabel = \"Encore\"\nworkflow = \"commun\"\n[organisation]\nlabel = \"x\"\n";
    let error = Definition::from_files([("a.toml", BASE), ("b.toml", again)]).unwrap_err();
    let found: Vec<_> = error.findings().iter().map(|f| (f.code, f.path.as_str(), f.line)).collect();
    assert_eq!(
        found,
        [("duplicate-id", "procedure.fuite", Some(1)), ("duplicate-id", "organisation", Some(4))],
        "{error}"
    );
    assert!(error.to_string().contains("`a.toml`") && error.to_string().contains("`b.toml`"), "{error}");

    let json = load(BASE).unwrap().to_json().to_string();
    let twice = json.replacen("\"custodian\":\"chef\"", "\"custodian\":\"chef\",\n\"custodian\":\"chef\"", 1);
    let error = Definition::from_files([("a.json", twice)]).unwrap_err();
    let found: Vec<_> = error.findings().iter().map(|f| (f.code, f.path.as_str(), f.line)).collect();
    assert_eq!(found, [("duplicate-id", "organisation.custodian", Some(2))], "{error}");
}

#[test]
fn json_and_toml_are_one() {
    let definition = load(BASE).unwrap();
    let json = definition.to_json();
    assert_eq!(Definition::from_json(&json).unwrap(), definition);
    let text = serde_json::to_string_pretty(&json).unwrap();
    assert_eq!(Definition::from_files([("ville.json", &text)]).unwrap(), definition);
    assert_eq!(Definition::from_files([("ville.json", format!("\u{feff}{text}"))]).unwrap(), definition);

    let broken = text.replacen("\"kind\": \"date\"", "\"kind\": \"dat\"", 1);
    let line = broken.lines().position(|line| line.contains("\"dat\"")).map(|line| line + 1);
    let error = Definition::from_files([("ville.json", &broken)]).unwrap_err();
    assert_eq!(error.findings().len(), 1);
    assert_eq!(error.findings()[0].path, "procedure.fuite.field[4].kind");
    assert_eq!(error.findings()[0].line, line);
}

#[test]
fn shared_workflows_are_copied_in() {
    let definition = load(BASE).unwrap().resolved();
    assert!(definition.workflows.is_empty());
    let simple = &definition.procedures["simple"];
    assert_eq!(simple.workflow, None);
    assert_eq!(simple.initial.as_ref().unwrap(), &"neuf");
    assert_eq!((simple.states.len(), simple.transitions.len()), (2, 1));
    definition.check().unwrap();
    assert_eq!(definition.clone().resolved(), definition);
}

#[test]
fn the_examples_load() {
    for (name, procedures) in [("voirie", 4), ("urbanisme", 2)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name);
        let definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(definition.procedures.len(), procedures);
        let stored = definition.resolved();
        stored.check().unwrap();
        assert_eq!(Definition::from_json(&stored.to_json()).unwrap(), stored);
    }
}

#[test]
fn a_directory_that_cannot_be_read_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let error = Definition::from_dir(directory.path()).unwrap_err();
    assert_eq!(error.findings()[0].code, "file");
    let error = Definition::from_dir(directory.path().join("nowhere")).unwrap_err();
    assert_eq!(error.findings()[0].code, "file");

    std::fs::create_dir(directory.path().join("sub")).unwrap();
    std::fs::write(directory.path().join("sub/ville.toml"), BASE).unwrap();
    std::fs::write(directory.path().join(".cache.toml"), "???").unwrap();
    std::fs::write(directory.path().join("notes.txt"), "???").unwrap();
    Definition::from_dir(directory.path()).unwrap();

    std::fs::write(directory.path().join("latin.toml"), b"x = 1\n# \xe9t\xe9").unwrap();
    let error = Definition::from_dir(directory.path()).unwrap_err();
    assert_eq!(error.findings().len(), 1);
    assert_eq!(error.findings()[0].file.as_deref(), Some("latin.toml"));
    assert_eq!(error.findings()[0].line, Some(2));
}

#[test]
fn nothing_at_all_is_an_error() {
    let none: [(&str, &str); 0] = [];
    for error in [
        Definition::from_files(none).unwrap_err(),
        Definition::from_files([("a.toml", "")]).unwrap_err(),
        Definition::from_files([("a.json", "{}")]).unwrap_err(),
    ] {
        assert_eq!(error.findings().len(), 1, "{error}");
        assert_eq!(error.findings()[0].code, "missing", "{error}");
    }
}

#[test]
fn five_thousand_procedures_load() {
    let cut = BASE.find("[procedure.fuite]").unwrap();
    let (town, leak) = BASE.split_at(cut);
    let mut files = vec![("ville.toml".to_owned(), town.replace("types = [\"fuite\"]\n", ""))];
    for file in 0..50 {
        let mut text = String::new();
        for n in 0..100 {
            text.push_str(&leak.replace("procedure.fuite", &format!("procedure.p-{file}-{n}")));
        }
        files.push((format!("{file}.toml"), text));
    }
    // One is there already: the last goes.
    let (name, last) = files.pop().unwrap();
    let (kept, _) = last.split_once("[procedure.p-49-99]").unwrap();
    files.push((name, kept.to_owned()));
    let definition = Definition::from_files(files.clone()).unwrap();
    assert_eq!(definition.procedures.len(), 5000);

    // And with a fault in each: a bounded number of findings.
    for (_, text) in &mut files {
        *text = text.replace("kind = \"date\"", "kind = \"dat\"");
    }
    let error = Definition::from_files(files).unwrap_err();
    assert_eq!(error.findings().len(), 1001);
    assert_eq!(error.findings()[1000].code, "too-many-findings");
}

#[test]
fn too_much_is_refused() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    for (text, path) in [
        (
            many(201, &|n| {
                format!("[[procedure.fuite.field]]\nid = \"f-{n}\"\nlabel = \"F\"\nkind = \"date\"\n")
            }),
            "procedure.fuite.field",
        ),
        (
            many(101, &|n| {
                format!("[[procedure.fuite.state]]\nid = \"s-{n}\"\nlabel = \"S\"\nphase = \"closed\"\n")
            }),
            "procedure.fuite.state",
        ),
        (
            many(501, &|n| {
                format!(
                    "[[procedure.fuite.transition]]\nid = \"t-{n}\"\nlabel = \"T\"\nfrom = []\nto = \"recue\"\n"
                )
            }),
            "procedure.fuite.transition",
        ),
        (
            many(10_001, &|n| format!("[[organisation.role]]\nid = \"r-{n}\"\nlabel = \"R\"\n")),
            "organisation",
        ),
        (
            many(10_001, &|n| format!("[[organisation.impossibility]]\nid = \"i-{n}\"\nlabel = \"I\"\n")),
            "organisation",
        ),
        (many(5000, &|n| format!("[procedure.p-{n}]\nlabel = \"P\"\nworkflow = \"commun\"\n")), "procedure"),
    ] {
        let findings = load(&format!("{BASE}\n{text}")).unwrap_err();
        assert_eq!(findings.len(), 1, "{path}: {}", show(&findings));
        assert_eq!((findings[0].code, findings[0].path.as_str()), ("too-many", path));
    }
    let long = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "é".repeat(501)), 1);
    assert_eq!(load(&long).unwrap_err()[0].code, "name-too-long");
    let huge = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "x".repeat(10 << 20)), 1);
    assert_eq!(load(&huge).unwrap_err()[0].code, "too-large");
    let big = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "x".repeat(3 << 20)), 1);
    let findings = load(&big).unwrap_err();
    assert!(findings.iter().all(|finding| finding.to_string().len() < 1000));
}
