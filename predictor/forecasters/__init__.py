"""Forecasters: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from predictor.forecasters.base import Forecast, Forecaster, ForecasterParams
from predictor.forecasters.ewma import EwmaParams
from predictor.forecasters.last_value import LastValueParams
from predictor.forecasters.median import MedianParams

FORECASTERS: dict[str, type[Any]] = {
    "ewma": EwmaParams,
    "last_value": LastValueParams,
    "median": MedianParams,
}

if TYPE_CHECKING:
    AnyForecasterParams = ForecasterParams
else:
    AnyForecasterParams = Annotated[tuple(FORECASTERS.values()), Field(discriminator="name")]

__all__ = ["FORECASTERS", "AnyForecasterParams", "EwmaParams", "Forecast", "Forecaster", "ForecasterParams"]
