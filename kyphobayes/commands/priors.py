"""The command that turns knowledge into priors."""

from typing import Annotated

import typer

from kyphobayes.commands.options import JsonOption
from kyphobayes.console import print_json, screen
from kyphobayes.errors import InputError


def elicit(
    rate: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Two shares, such as 0.01 0.2, between which the typical rate surely lies."),
    ] = None,
    factor: Annotated[
        float | None, typer.Option(help="By what factor the odds of two centres surely differ at most.")
    ] = None,
    mass: Annotated[float, typer.Option(help="How sure, as a probability.")] = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Turn what people can say into priors for mu and tau, ready for `fit --prior`."""
    from kyphobayes.elicit import elicit_rate, elicit_tau

    if rate is None and factor is None:
        raise InputError("elicit: expected --rate LOW HIGH, --factor NUMBER, or both; found neither")
    priors = {} if rate is None else {"mu": elicit_rate(*rate, mass)}
    priors |= {} if factor is None else {"tau": elicit_tau(factor, sure=mass)}
    if as_json:
        print_json({name: {"prior": str(prior), "why": prior.why} for name, prior in priors.items()})
        return
    for name, prior in priors.items():
        screen.print(f'--prior {name}="{prior}"', markup=False, highlight=False, soft_wrap=True)
        screen.print(f"  {prior.why}", markup=False, highlight=False)
