"""What a person sees on stdout once everything listens: where it is and what to do next."""

import sqlalchemy as sa

from server import config, program
from server.address import Address, Addresses
from server.config import Settings


def banner(settings: Settings, addresses: Addresses) -> str:
    """The lines, with the real ports and without the database's password."""
    lines = [f"HealthGuard Collector {program.version()}"]
    if addresses.rest:
        url = f"{settings.rest_scheme}://{addresses.rest}"
        lines.append(_line("REST", f"{url}      (docs: {url}/docs)"))
    if addresses.grpc:
        lines.append(_line("gRPC", str(addresses.grpc)))
        lines.append(_line("database", sa.make_url(settings.database).render_as_string(hide_password=True)))
    else:
        lines.append(_line("target", settings.target))
    if addresses.rest:
        lines += _next(addresses.rest, settings.rest_scheme)
    return "\n".join(lines)


def _next(rest: Address, scheme: str) -> list[str]:
    default = config.Settings.model_fields["rest"].default
    demo = f"{program.command()} demo" + ("" if str(rest) == default else f" --rest {rest}")
    body = """'{"email":"you@example.com","password":"choose-a-long-one"}'"""
    return [
        _line("next", f"curl {scheme}://{rest}/api/auth/register -H 'content-type: application/json' -d {body}"),
        _line("", f"{demo}    sends sample events and shows where to look"),
        _line("", f"{scheme}://{rest}/    is the dashboard, in a browser"),
        _line("", "README.md    has the rest"),
    ]


def _line(name: str, text: str) -> str:
    return f"  {name:<9} {text}"
