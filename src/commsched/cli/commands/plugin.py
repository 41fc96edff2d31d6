"""``commsched plugin``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command
from commsched.cli.skeletons import KINDS


@command("plugin")
@click.argument("action", type=click.Choice(["new"]))
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
def plugin(session: Session, action: str, kind: str, name: str) -> None:
    """Write a new plugin into plugins/, and its law test into tests/, to begin with.

    It works as it stands: the channel posts to a gateway, the policy keeps some days free. NAME is the kind that it is
    declared by, of small letters, figures and underscores.

    Example: commsched plugin new channel gateway
    """
    from commsched.cli.skeletons import write

    del action
    written = write(session.folder, kind, name)
    files = [str(path.relative_to(session.folder)) for path in written]
    # In commsched's own repository pytest is set up with plugins that `make setup` installs.
    ours = (session.folder / "src" / "commsched").is_dir() and (session.folder / "Makefile").is_file()
    test = "make setup && .venv/bin/pytest" if ours else "pip install pytest hypothesis && pytest"
    text = (
        f"Wrote {files[0]} and {files[1]}. Next:\n"
        f"  {test} {files[1]}\n"
        f"  declare it in config/commsched.toml as the file's first lines show, then: commsched check"
    )
    session.say(text, files=files)
