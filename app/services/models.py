"""app.services.models: the models of a project: which one is in use, publishing a new one, going back."""

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.services.evaluating import EvaluateRequest, evaluate
from app.services.model import MODELS, folder_in_use, kept_folder
from app.services.project import Project, utc_now
from app.services.run_inputs import Warn
from app.services.training_ground import training_shares
from detection.bundle import CARD, Bundle, load_bundle, shipped_bundle_path
from detection.evaluate.paired import Difference, Judged, compare
from geodata.errors import InputError
from geodata.files import ensure_output_folder, flush_folder
from geodata.sources.inputs import check_scenes
from geodata.store.models import ModelChoice, choose_model, model_choices

NOT_WORSE_BY = 0.01
"""A new model may lose so much F1 on held-out ground before it counts as worse."""
PERSON = "local"


@dataclass(frozen=True)
class KeptModel:
    """A model that a project can use."""

    bundle: Bundle
    in_use: bool
    shipped: bool
    choices: tuple[ModelChoice, ...]
    """When and why it was chosen, oldest first."""


@dataclass(frozen=True)
class Ground:
    """Held-out scenes with labels, on which models are compared."""

    request: EvaluateRequest
    """Without a model."""
    warn: Warn
    progress: Callable[[int, int], None]


@dataclass(frozen=True)
class Published:
    """What became of a new model."""

    bundle: Bundle
    differences: dict[str, Difference] | None
    """New minus old, by the figure's name; None where nothing was compared."""


def kept_models(project: Project) -> list[KeptModel]:
    """All models of a project and the shipped one, the one in use first, then the newest.

    Raises:
        InputError: a bundle that cannot be read.
    """
    with project.store.reading() as connection:
        choices = model_choices(connection)
    shipped = load_bundle(shipped_bundle_path())
    folders = sorted(path.parent for path in project.folder.glob(f"{MODELS}/*/{CARD}"))
    bundles = {one.model_id: one for one in (shipped, *map(load_bundle, folders))}
    used = choices[-1].model_id if choices else shipped.model_id
    kept = [
        KeptModel(
            one, name == used, name == shipped.model_id, tuple(c for c in choices if c.model_id == name)
        )
        for name, one in bundles.items()
    ]
    return sorted(
        kept, key=lambda k: (not k.in_use, -k.bundle.card.created_at.timestamp(), k.bundle.model_id)
    )


def publish(
    project: Project,
    folder: Path,
    ground: Ground | None,
    anyway: str | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
) -> Published:
    """Copy a bundle into a project and make it the one in use, if it is not worse than the one in use now.

    Args:
        project: an open project.
        folder: the new bundle.
        ground: where both are compared; None only with `anyway`.
        anyway: a person's reason to take it whatever the comparison says; it goes into the log.
        now: the clock.

    Raises:
        InputError: a broken bundle, other bands or a worse model without `anyway`, nothing to compare on, or
            a folder that cannot be written.
    """
    new = load_bundle(folder)
    old = load_bundle(folder_in_use(project))
    if new.model_id == old.model_id:
        raise InputError(f"{new.card.name} ({new.model_id}) is in use already; there is nothing to publish.")
    if ground is None and anyway is None:
        raise InputError(
            "A new model is compared with the one in use on labelled scenes that neither has learnt from; "
            "name them and --labels, or give --anyway and a reason."
        )
    differences, comparison = (None, None) if ground is None else _compare(ground, new, old)
    if differences is not None and anyway is None:
        _refuse_worse(differences["f1"], new, old)
    _copy(new, project.folder / MODELS / new.model_id)
    why = anyway or "not worse on held-out ground"
    choose_model(project.store, ModelChoice(now(), new.model_id, new.card.name, why, comparison), PERSON)
    return Published(new, differences)


def use(project: Project, model_id: str, why: str, *, now: Callable[[], datetime] = utc_now) -> Bundle:
    """Go back (or forth) to a model that the project keeps, by its id, or to the `shipped` one.

    Raises:
        InputError: an id that the project does not have.
    """
    wanted = shipped_bundle_path() if model_id == "shipped" else kept_folder(project, model_id)
    bundle = load_bundle(wanted)
    choose_model(project.store, ModelChoice(now(), bundle.model_id, bundle.card.name, why), PERSON)
    return bundle


def _compare(ground: Ground, new: Bundle, old: Bundle) -> tuple[dict[str, Difference], dict[str, object]]:
    """The figures' differences, new minus old, by name; and what the log shall say of them."""
    _check_unseen(ground.request, (new, old))
    request = replace(ground.request, model=new.folder, against=old.folder)
    evaluation, details = evaluate(request, ground.warn, ground.progress)
    assert details.other is not None  # `against` was given
    sides = [Judged(one.sample, one.source.threshold) for one in (details.scored, details.other)]
    differences = {one.name: one for one in compare(*sides).differences}
    told = {
        "scenes": list(evaluation.scenes),
        "observed_km2": evaluation.area_km2,
        "kilns": int((~details.scored.sample.kilns.ignored).sum()),
        "old_model_id": old.model_id,
        "new_old_difference_low_high": {
            one.name: [
                _finite(v)
                for v in (
                    one.first,
                    one.second,
                    one.difference.value,
                    one.difference.low,
                    one.difference.high,
                )
            ]
            for one in differences.values()
        },
    }
    return differences, told


def _check_unseen(request: EvaluateRequest, bundles: Sequence[Bundle]) -> None:
    """Raise `InputError` where a card lists one of the scenes as ground that the model was trained on."""
    checked = check_scenes(request.scenes, replace(request.options, bands=bundles[0].card.bands))
    checked.raise_problems()
    infos = [one.info for one in checked.good]
    for bundle in bundles:
        shares = training_shares(bundle.card, infos, allowed=True)
        seen = [info.name for info, one in zip(infos, shares, strict=True) if one.any]
        if seen:
            raise InputError(
                f"{bundle.card.name} has learnt from ground in {', '.join(seen)}, so comparing there means "
                "nothing; name scenes that neither model has learnt from."
            )


def _refuse_worse(f1: Difference, new: Bundle, old: Bundle) -> None:
    gap = f1.difference
    if not gap.value >= -NOT_WORSE_BY:
        raise InputError(
            f"{new.card.name} reaches F1 {f1.first:.3f} where {old.card.name}, in use, reaches "
            f"{f1.second:.3f} (difference {gap.value:+.3f}, 95 % interval {gap.low:+.3f} to "
            f"{gap.high:+.3f}): it was not published; train it further, or give --anyway and a reason."
        )


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


def _copy(bundle: Bundle, target: Path) -> None:
    """Copy the bundle's files under a temporary name first."""
    if (target / CARD).is_file() and load_bundle(target).model_id == bundle.model_id:
        return
    ensure_output_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.mkdir()
        for name in (*bundle.card.files, CARD):
            shutil.copyfile(bundle.folder / name, temporary / name)
        load_bundle(temporary)
        temporary.rename(target)
        flush_folder(target.parent)
    except OSError as error:
        raise InputError(
            f"The model {bundle.folder} cannot be copied to {target} ({error.strerror}); make room there."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
