"""The commands that carry cases between YAML and spreadsheets: import, export. Prints one line each."""

from pathlib import Path
from typing import Annotated

import typer

from evals.cases import FOLDER, as_yaml, read_cases
from evals.tables import TableError, read_table, write_table, write_whole

app = typer.Typer()
Force = Annotated[bool, typer.Option(help="Replace a file that is there already.")]


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="An .xlsx or .csv file, one row a case.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The YAML file to write.")],
    force: Force = False,
) -> None:
    """Make a file of cases from a spreadsheet. Every mistake is reported with its row; exit code 2 then."""
    cases = read_table(table)
    _free(out, force)
    write_whole(out, as_yaml(cases).encode())
    typer.echo(f"{len(cases)} cases written to {out}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The .xlsx or .csv file to write.")],
    cases: Annotated[Path, typer.Option(help="Folder of case files (*.yaml).")] = FOLDER,
    force: Force = False,
) -> None:
    """Make a spreadsheet of the cases, with French headings, which `import` reads again."""
    read = read_cases(cases)
    _free(out, force)
    write_table(read, out)
    typer.echo(f"{len(read)} cases written to {out}")


def _free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise TableError(f"« {path} » is there already; --force replaces it")
