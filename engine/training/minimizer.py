"""One objective at work: its loss, its gradient, its step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from engine.compiler.goal import Fields, Goal
from engine.errors import TrainingError
from engine.graph.document import Objective
from engine.optimizers import OPTIMIZERS
from engine.training.learning import Learner
from engine.training.optimizing import make_optimizers
from engine.training.schedules import Rates


class NotFiniteError(Exception):
    """A loss that is no number any more; its value is ``args[0]``."""


class Minimizer:
    """Moves the weights of one objective, step by step.

    ``last`` is its newest loss: a number on a CPU, where it is checked before it reaches the weights; else a
    tensor on the device, because reading it would wait for the device. ``alone`` says that it moves
    all weights that learn and no other objective leaves gradients behind.
    """

    def __init__(
        self,
        objective: Objective,
        goal: Goal,
        learners: Sequence[Learner],
        device: torch.device,
        steps_per_epoch: int,
        total_steps: int,
        *,
        alone: bool = True,
        cast: Callable[[], AbstractContextManager] | None = None,
        scaled: bool = False,
        rising: bool = False,
    ):
        self.objective, self.goal, self.learners = objective, goal, list(learners)
        self.every = objective.every
        self.last: float | Tensor = 0.0
        self._alone, self._cast, self._deferred = alone, cast, device.type != "cpu"
        self._scaler = torch.amp.GradScaler(device.type) if scaled else None
        self._phase = 0
        pace = objective.every * objective.accumulate
        epochs = -(-total_steps // max(1, steps_per_epoch))
        self._counts = (max(1, steps_per_epoch // pace), max(1, total_steps // pace), rising, epochs)
        self._device = device
        self._declared = OPTIMIZERS[objective.optimizer]
        self._penalized = bool(objective.l1 or objective.l2)
        self._clips = bool(objective.clip_norm or objective.clip_value)
        self.optimizers = make_optimizers(objective, self._groups(), device)
        if not self.optimizers:
            raise TrainingError("There is nothing to learn: no layer that this objective moves has weights.")
        self.rates = Rates(self.optimizers, objective, *self._counts)
        self.refresh()

    def _groups(self) -> list[dict[str, Any]]:
        """The weights by their multipliers of the learning rate, in the order of the model."""
        lr = float(self._declared.values(self.objective.options)["lr"])
        rates: dict[float, list[nn.Parameter]] = {}
        for each in self.learners:
            rates.setdefault(each.rate, []).append(each.parameter)
        return [{"params": params, "lr": lr * rate, "rate": rate} for rate, params in rates.items()]

    def refresh(self) -> None:
        """Take note of which weights are frozen."""
        self.parameters = [each.parameter for each in self.learners if not each.frozen]
        self._weights = [each for each in self.parameters if each.dim() > 1]
        self._inputs = None if self._alone else self.parameters
        asked = (self._penalized, self._clips, self._cast, self._scaler, self._declared.closure)
        single = len(self.optimizers) == 1 and self.objective.accumulate == 1
        self.step = self._quick if single and not any(asked) else self._full

    def regroup(self) -> None:
        """Take note of multipliers that were changed: what the optimizers remember of the weights stays."""
        state = [each.state for each in self.optimizers]
        options = [
            {key: value for key, value in each.param_groups[0].items() if key not in ("params", "lr", "rate")}
            for each in self.optimizers
        ]
        rates = self.rates.state_dict()
        fresh = make_optimizers(self.objective, self._groups(), self._device)
        for optimizer, kept, given, course in zip(fresh, state, options, rates["courses"], strict=True):
            optimizer.state = kept
            for group in optimizer.param_groups:
                group.update(given)
            for name in {"rates", "warm_rates"} & course.keys():
                base = course[name][0]
                course[name] = [base, *(base * group["rate"] for group in optimizer.param_groups)]
        self.optimizers = fresh
        self.rates = Rates(fresh, self.objective, *self._counts)
        self.rates.load_state_dict(rates)
        self.refresh()

    def rebase(self, lr: float) -> None:
        """Go on with another learning rate, of which the schedule makes all others."""
        self.rates.rebase(lr)

    def resized(self, steps: int) -> None:
        """Take note that so many steps of the run are left."""
        self.rates.resize(max(1, steps // (self.every * self.objective.accumulate)))

    def _quick(self, model: nn.Module, batch: Fields) -> None:
        """The step where there is one optimizer and nothing but a loss."""
        for parameter in self.parameters:
            parameter.grad = None  # what optimizer.zero_grad() does, at a tenth of its cost
        loss = self.goal(model, batch)
        self.last = self._value(loss)
        loss.backward(inputs=self._inputs)
        self.optimizers[0].step()
        if not self.rates.constant:
            self.rates.stepped()

    def _full(self, model: nn.Module, batch: Fields) -> None:
        """The step with all that an objective may ask for."""
        if self._declared.closure:
            values: list[float | Tensor] = []

            def closure() -> Tensor:
                self._zero()
                loss = self._loss(model, batch)
                values.append(self._value(loss))
                loss.backward(inputs=self._inputs)
                self._clip()
                return loss

            self.optimizers[0].step(closure)
            self.last = values[0]
            self.rates.stepped()
            return
        if not self._phase:
            self._zero()
        loss = self._loss(model, batch)
        self.last = self._value(loss)
        share = self.objective.accumulate
        part = loss / share if share > 1 else loss
        (self._scaler.scale(part) if self._scaler else part).backward(inputs=self._inputs)
        self._phase = (self._phase + 1) % share
        if self._phase:
            return
        if self._scaler and self._clips:
            for optimizer in self.optimizers:
                self._scaler.unscale_(optimizer)
        self._clip()
        for optimizer in self.optimizers:
            if self._scaler:
                self._scaler.step(optimizer)
            else:
                optimizer.step()
        if self._scaler:
            self._scaler.update()
        self.rates.stepped()

    def _zero(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def _loss(self, model: nn.Module, batch: Fields) -> Tensor:
        if self._cast:
            with self._cast():
                loss = self.goal(model, batch)
        else:
            loss = self.goal(model, batch)
        if self.objective.l1:
            loss = loss + self.objective.l1 * sum(each.abs().sum() for each in self._weights)
        if self.objective.l2:
            loss = loss + self.objective.l2 * sum(each.square().sum() for each in self._weights)
        return loss

    def _value(self, loss: Tensor) -> float | Tensor:
        if self._deferred:
            return loss.detach()
        value = loss.item()
        if not isfinite(value):
            raise NotFiniteError(value)
        return value

    def _clip(self) -> None:
        if self.objective.clip_value:
            nn.utils.clip_grad_value_(self.parameters, self.objective.clip_value)
        if self.objective.clip_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.objective.clip_norm)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next steps depend on beside the weights: tensors, numbers, texts and lists."""
        state: dict[str, Any] = {
            "optimizers": [each.state_dict() for each in self.optimizers],
            "rates": self.rates.state_dict(),
            "phase": self._phase,
            "last": float(self.last),
        }
        if self._phase:
            state["gradients"] = [each.grad for each in self.parameters]
        if self._scaler:
            state["scaler"] = self._scaler.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a ``state_dict`` was taken."""
        for optimizer, each in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(each)
            _lay_out(optimizer)
        self.rates.load_state_dict(state["rates"])
        self._phase, self.last = state["phase"], state["last"]
        for parameter, gradient in zip(self.parameters, state.get("gradients", ()), strict=False):
            parameter.grad = None if gradient is None else gradient.to(parameter.device)
        if self._scaler and "scaler" in state:
            self._scaler.load_state_dict(state["scaler"])


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Lay out what an optimizer remembers of each weight as the weight lies in memory.

    A fused step walks through both side by side, and a file keeps the numbers in their plain order.
    """
    for parameter, remembered in optimizer.state.items():
        for name, value in remembered.items():
            alike = isinstance(value, Tensor) and value.shape == parameter.shape
            if alike and value.stride() != parameter.stride():
                remembered[name] = torch.empty_like(parameter).copy_(value)
