"""Forecasters: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictor.forecasters.base import Forecast, Forecaster, ForecasterParams
from predictor.forecasters.ewma import EwmaParams
from predictor.forecasters.last_value import LastValueParams
from predictor.forecasters.median import MedianParams
from predictor.params import one_of

FORECASTERS: dict[str, type[Any]] = {
    "ewma": EwmaParams,
    "last_value": LastValueParams,
    "median": MedianParams,
}

if TYPE_CHECKING:
    AnyForecasterParams = ForecasterParams
else:
    AnyForecasterParams = one_of(FORECASTERS, "name")

__all__ = ["FORECASTERS", "AnyForecasterParams", "EwmaParams", "Forecast", "Forecaster", "ForecasterParams"]
