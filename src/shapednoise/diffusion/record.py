"""The curve of a training: losses, gradient norms and rates."""

import time
from typing import Any

import torch
from torch import Tensor

from shapednoise.errors import UserError


class TrainingRecord:
    """The training curve. Losses stay on the device until a row is logged, so that no step waits."""

    def __init__(
        self,
        rows: list[dict[str, float]] | None = None,
        pending: Tensor | None = None,
        seconds: float = 0.0,
        row_seconds: float = 0.0,
    ) -> None:
        """seconds: of the logged rows; row_seconds: of the open one, over all runs."""
        self.rows = rows or []
        self.pending: list[Tensor] = [] if pending is None else list(pending)
        self.seconds, self.row_seconds = seconds, row_seconds
        self.resume()

    def resume(self) -> None:
        """Restart the timer."""
        self.since = time.monotonic()

    def add(self, loss: Tensor, norm: Tensor) -> None:
        """Note a step's loss and gradient norm."""
        self.pending.append(torch.stack([loss, norm]))

    def check(self, training: Any) -> Tensor:
        """The losses and norms of the open row, (steps, 2). Raises UserError that names a bad step.

        fp16 skips a step whose gradient is not finite; elsewhere that step has spoiled the weights.
        """
        if not self.pending:
            return torch.empty(0, 2)
        values = torch.stack([value.to(training.device) for value in self.pending])
        finite = values.isfinite()
        bad = ~(finite[:, 0] if training.scaler.is_enabled() else finite.all(1))
        if bool(bad.any()):
            index = int(bad.nonzero()[0])
            what = "gradient" if finite[index, 0] else "loss"
            step = training.step - len(values) + 1 + index
            raise UserError(f"the {what} is not finite at step {step}; lower the recipe's learning_rate")
        return torch.where(finite, values, torch.nan)

    def log_row(self, training: Any) -> None:
        """Append a row with the means since the last one."""
        loss, norm = self.check(training).nanmean(0).tolist()
        self._tick()
        images = len(self.pending) * training.settings.batch_size
        rate = {"images_per_second": round(images / self.row_seconds, 2)}
        self.rows.append({"loss": loss, "gradient_norm": norm, **training.row, **rate})
        self.seconds += self.row_seconds
        self.pending, self.row_seconds = [], 0.0

    def state(self) -> dict[str, Any]:
        """The arguments of a record that continues this one."""
        self._tick()
        pending = torch.stack(self.pending).cpu() if self.pending else None
        return {
            "rows": self.rows, "pending": pending, "seconds": self.seconds, "row_seconds": self.row_seconds,
        }  # fmt: skip

    def _tick(self) -> None:
        now = time.monotonic()
        self.row_seconds += now - self.since
        self.since = now
