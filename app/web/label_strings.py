"""app.web.label_strings: the words of the labelling page, each through gettext; knows no route."""

from app.i18n import _

KILN_DRAWINGS = ("kiln-oval", "kiln-round", "kiln-zigzag")
OTHER_DRAWINGS = ("other-roofs", "other-sheds", "other-yard", "other-track", "other-pond")


def page_strings() -> dict[str, str]:
    """The words that stand in the page itself, by the name of their placeholder."""
    return {**_welcome_strings(), **_work_strings()}


def drawing_captions() -> dict[str, str]:
    """What each drawn example shows, by the name of the drawing."""
    return {
        "kiln-oval": _("Kiln: a long ring with round ends, a chimney in the middle"),
        "kiln-round": _("Kiln: a short ring, sometimes nearly a circle"),
        "kiln-zigzag": _("Kiln: a rectangle with chambers, a chimney in the middle"),
        "other-roofs": _("No kiln: red roofs of a village, many small and in all directions"),
        "other-sheds": _("No kiln: long sheds, bright and straight"),
        "other-yard": _("No kiln: only rows of bricks that dry, no ring"),
        "other-track": _("No kiln: a running track, green inside"),
        "other-pond": _("No kiln: a pond with bare banks"),
    }


def script_strings() -> dict[str, str]:
    """The words that the script puts on the page while somebody works."""
    return {
        "question": _("Is there a brick kiln in this picture?"),
        "mark_question": _("Tap on the middle of each kiln."),
        "mark_hint": _("Marks: {n}. Tap a mark to take it away."),
        "mark_hint_keys": _(
            "Marks: {n}. Click, or move the cross with the arrows and set or take away with space."
        ),
        "loading": _("Fetching pictures…"),
        "no_connection": _("No connection. Trying again…"),
        "waiting": _("No connection. Answers kept here and sent later: {n}."),
        "refused": _("Answers that could not be stored: {n}."),
        "undone": _("Taken back. Answer again."),
        "done": _("{name}: {today} done today, {total} in all."),
        # one letter each, in small type: the key for an answer
        "key_yes": _("y"),
        "key_no": _("n"),
        "key_unsure": _("u"),
        "key_bad": _("b"),
        "key_undo": _("z"),
    }


def _welcome_strings() -> dict[str, str]:
    return {
        "title": _("Is there a kiln? – kilnlight"),
        "made_up": _("Made-up scene: these pictures are painted and show no real place."),
        "welcome_heading": _("Help to find brick kilns"),
        "welcome_task": _(
            "You see one satellite picture after the other, each about one kilometre wide, and say whether "
            "there is a brick kiln in it. A kiln is small: about a tenth of the picture."
        ),
        "kilns_heading": _("Kilns from above"),
        "kilns_text": _(
            "Drawings: on the left a kiln seen from above, on the right what is left of it in the picture."
        ),
        "others_heading": _("Things that look alike"),
        "others_text": _("These are often taken for kilns."),
        "use_heading": _("What your answers are used for"),
        "use_text": _(
            "They are put together with the answers of other volunteers and the score of a computer model. "
            "The result tells people who work against forced labour and pollution where to look."
        ),
        "not_proof": _(
            "A possible kiln is not proof of a kiln, of its owner or of any breach of law. "
            "If you cannot tell, say so: that helps as well."
        ),
        "privacy_text": _(
            "The pictures come without their place and in no order. Your name stays in this browser; your "
            "answers are stored on this computer under a random number, with their time."
        ),
        "name_label": _("A name for you"),
        "name_hint": _(
            "Any name that you like; better not your real one. It keeps your answers apart from others."
        ),
        "begin": _("Begin"),
        "noscript": _("This page needs JavaScript."),
    }


def _work_strings() -> dict[str, str]:
    return {
        "question": _("Is there a brick kiln in this picture?"),
        "loading": _("Fetching pictures…"),
        "picture_alt": _(
            "Satellite picture. In marking: arrows move the cross, space sets a mark, Enter is done."
        ),
        "empty": _("There are no more pictures for you at the moment. Thank you!"),
        "again": _("Look again"),
        "yes": _("Kiln"),
        "yes_key": _("Y or →"),
        "no": _("No kiln"),
        "no_key": _("N or ←"),
        "unsure": _("Can’t tell"),
        "unsure_key": _("U or ↓"),
        "bad": _("Bad picture"),
        "bad_key": _("B or ↑"),
        "undo": _("Undo"),
        "undo_key": _("Z"),
        "examples": _("Examples"),
        "back": _("Back"),
        "back_key": _("Esc"),
        "remove": _("Remove mark"),
        "remove_key": _("Z"),
        "finish": _("Done"),
        "finish_key": _("Enter"),
        "not_proof_short": _("Not proof of a kiln, of its owner or of any breach of law."),
        "to_map": _("Back to the map"),
    }
