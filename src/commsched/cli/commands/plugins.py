"""``commsched plugins``."""

from __future__ import annotations

from commsched.cli.session import Session, command


@command("plugins")
def plugins(session: Session) -> None:
    """List what is loaded: every kind of channel, policy, calendar and source, and every hook, with its file.

    Example: commsched plugins
    """
    import inspect
    from pathlib import Path

    from commsched.cli.output import table
    from commsched.loading import OBSERVERS, load_plugins
    from commsched.plugin import hookspecs

    session.quiet_logs()
    folder = session.folder.resolve()
    loaded = load_plugins(folder)
    rows = []
    for kind in loaded.kinds.values():
        file = Path(inspect.getfile(kind.plugin))
        shown = file.relative_to(folder) if file.is_relative_to(folder) else file.name
        words = inspect.getdoc(kind.plugin) or ""
        rows.append((loaded.origins[kind.origin], kind.what, kind.name, str(shown), words.partition("\n")[0]))
    hooks = (*OBSERVERS, "prepare_templates", "extra_facts")
    for hook in (name for name in hooks if hasattr(hookspecs, name)):
        found = getattr(loaded.manager.hook, hook).get_hookimpls()
        rows += [(loaded.origins[one.plugin_name], "hook", hook, one.plugin_name, "") for one in found]
    order = ("built-in", "installed", "deployment")
    rows.sort(key=lambda row: (order.index(row[0]), row[1], row[2]))
    columns = ("origin", "what", "name", "file", "does")
    session.show(
        {"plugins": [dict(zip(columns, row, strict=True)) for row in rows]},
        lambda console: console.print(table("", columns, rows)),
    )
