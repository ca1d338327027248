"""A click program that says hello: what starting any click program costs."""

import click


@click.command()
@click.option("--name", default="world", help="Who is greeted.")
def hello(name: str) -> None:
    """Say hello."""
    click.echo(f"Hello, {name}!")


if __name__ == "__main__":
    hello()
