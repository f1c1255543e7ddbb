"""training.check: what a run would do: its scenes, its folds, and how long it takes; writes nothing."""

from dataclasses import dataclass, replace
from pathlib import Path

from training.config import RunConfig
from training.device import choose_device, choose_precision, describe
from training.learn import Setting, opened, parts_of, plan, time_steps
from training.parts import PartCounts, Side, check_positives, count_scenes
from training.progress import NetPlan, Progress


@dataclass(frozen=True)
class Checked:
    """What a run would do."""

    scenes: dict[str, Side]
    parts: list[PartCounts]
    nets: list[NetPlan]
    machine: str
    precision: str
    why: str
    seconds_per_step: float

    @property
    def seconds_left(self) -> float:
        """Of learning alone; scoring the folds and writing the graphs come on top."""
        return self.seconds_per_step * sum(net.steps - net.done for net in self.nets)


def check(
    config: RunConfig, base: Path, out: Path, setting: Setting, progress: Progress, steps: int = 3
) -> Checked:
    """Open everything, count, make a few steps to time them, and write nothing.

    Args:
        config: the checked run file.
        base: the folder that the run file's paths start from.
        out: where a run may have begun.
        setting: threads, device.
        progress: is told what is being done.
        steps: how many are timed, after one that is not.

    Raises:
        InputError: for labels, scenes or folds that cannot be used.
    """
    device = choose_device(setting.device)
    precision = choose_precision(config.fit.precision, device)
    with opened(config, base, out, setting, progress) as run:
        parts = parts_of(run)
        check_positives(parts)
        run = replace(run, device=str(device), precision=precision.name)
        progress.say(f"Timing {steps} steps.")
        return Checked(
            count_scenes(run.labels.whole, run.split.grids),
            parts,
            plan(run),
            describe(device, setting.threads),
            precision.name,
            precision.why,
            time_steps(run, steps),
        )
