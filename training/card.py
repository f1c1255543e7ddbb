"""training.card: what a run's card says: what was learnt from and chosen, and which weights it began from."""

from detection.bundle import Bundle, Card, Domain, TrainingBlock, TrainingData, load_bundle
from detection.training_ground import blocks_of_scene, trained_on
from training.choose import UNSEEN, Chosen
from training.learn import Run
from training.parts import count_learnt
from training.scenes import NORMALISATION


def card_of(run: Run, chosen: Chosen, kiln_length_m: float | None = None) -> Card:
    """The card of a run's bundle, without the hashes of its files. Raises `InputError` as `begun_from`."""
    config, model = run.config, run.config.model
    return Card(
        name=model.name,
        architecture=_architecture(config.fit.nets, model.views),
        bands=config.data.bands,
        normalisation=NORMALISATION,
        heat_filter_m=model.heat_filter_m,
        kiln_length_m=kiln_length_m,
        threshold=chosen.threshold,
        threshold_chosen=chosen.how,
        candidate_floor=min(model.candidate_floor, chosen.threshold),
        domain=Domain(area=model.area, months=model.months, products=model.products),
        unvalidated=model.unvalidated,
        calibration=chosen.calibration,
        training_data=training_data_of(run),
        licence=_licence(run),
        figures=chosen.figures,
        commit=run.setting.commit,
        created_at=run.setting.now,
        files={},
    )


def begun_from(run: Run) -> Bundle | None:
    """The bundle of `--init`; None for random weights. Raises `InputError` as `load_bundle`."""
    return None if run.setting.init is None else load_bundle(run.setting.init)


def training_data_of(run: Run) -> tuple[TrainingData, ...]:
    """What the weights have seen: this run's data first, then that of the weights that it began from."""
    data, learnt = run.config.data, count_learnt(run.split, run.labels)
    own = TrainingData(
        name=data.name,
        kilns=learnt.kilns,
        area_km2=round(learnt.km2, 1),
        licence=data.licence,
        attribution=data.attribution,
        blocks=_blocks(run),
    )
    origin = begun_from(run)
    if origin is None:
        return (own,)
    before = f" (seen by {origin.card.name} {origin.model_id}, whose weights this began from)"
    seen = [one.model_copy(update={"name": one.name + before}) for one in origin.card.training_data]
    return (own, *seen)


def how_unseen(run: Run) -> str:
    """What may be said of the folds' nets and the ground that they are scored on."""
    origin = begun_from(run)
    if origin is None:
        return UNSEEN
    began = f"{UNSEEN} itself, but it began from {origin.card.name} {origin.model_id}"
    data, grids = origin.card.training_data, run.split.grids.values()
    blocks = [block for one in data for block in one.blocks]
    if any(trained_on(blocks, grid).any for grid in grids):
        return f"{began}, which has learnt from some of this ground: that flatters"
    if not data or not all(one.blocks for one in data):
        return f"{began}, whose card does not tell on what ground it has learnt"
    return UNSEEN


def _licence(run: Run) -> str:
    """Of the weights; what the first ones ask for holds for those that came of them."""
    own, origin = run.config.model.licence, begun_from(run)
    if origin is None or origin.card.licence == own:
        return own
    of = f"{origin.card.name} {origin.model_id}"
    return f"{own}; begun from {of}, whose licence holds too: {origin.card.licence}"


def _blocks(run: Run) -> tuple[TrainingBlock, ...]:
    """The ground that was learnt: all scenes but what is held out for a later test."""
    split, blocks = run.split, []
    for name, grid in split.grids.items():
        blocks += blocks_of_scene(name, grid, split.held_out.kept_from(name, split.gap_px))
    return tuple(blocks)


def _architecture(nets: int, views: int) -> str:
    several = f"{nets} nets and " if nets > 1 else ""
    return f"KilnNet: anchor-free, oriented, stride 2; mean of {several}{views} mirrored views"
