"""`park notices`: what you are told, by e-mail and by webhooks of your own."""

from __future__ import annotations

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table, say
from eureka_park.cli.words import _


@click.group()
def notices() -> None:
    """What you are told without asking: by e-mail, and by calls to programs of your own (webhooks).

    \b
    park notices list
    park notices choose budget.reached --by email
    park notices webhook https://hooks.example.org/park --kind job.failed
    """


@notices.command("list")
@json_option
def list_notices(as_json: bool) -> None:
    """List what you can hear of, and by which ways you do.

    \b
    park notices list
    """
    found = park().notices.settings()
    if as_json:
        print_json(found)
        return
    names = {hook["webhook_id"]: hook["name"] for hook in found["webhooks"]}
    rows = [[item["kind"], ", ".join(names.get(way, way) for way in item["ways"]) or "-"] for item in found["items"]]
    print_table((_("kind"), _("ways")), rows)
    hooks = [
        [hook["webhook_id"], hook["name"], hook["url"], _("on") if hook["is_on"] else _("off")]
        for hook in found["webhooks"]
    ]
    if hooks:
        print_table((_("webhook"), _("name"), _("address"), _("state")), hooks)


@notices.command()
@click.argument("kind")
@click.option("--by", "way", default="email", metavar="WAY", help="email, or the id of a webhook (default: email).")
@click.option("--off", is_flag=True, help="Hear of it no more by this way.")
@json_option
def choose(kind: str, way: str, off: bool, as_json: bool) -> None:
    """Hear of one kind of notice by one way, or no more.

    \b
    park notices choose job.failed
    park notices choose job.ended --by webhook-4zr3q... --off
    """
    found = park().notices.choose(kind, way, not off)
    if as_json:
        print_json(found)
    else:
        click.echo(_("Kept."))


@notices.command()
@click.argument("url")
@click.option("--name", default="", help="Its name for people.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="What it hears of; may be repeated.")
@json_option
def webhook(url: str, name: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """Have notices sent to an address, and print the secret that signs them, this once.

    \b
    park notices webhook https://hooks.example.org/park --kind job.failed --kind budget.reached
    """
    made = park().notices.add_webhook(url, name, list(kinds))
    if as_json:
        print_json(made)
        return
    click.echo(made["secret"])
    say(_("signs the calls of {name}; it is not shown again.", name=made["webhook_id"]))


@notices.command()
@click.argument("webhook_id")
@json_option
def renew(webhook_id: str, as_json: bool) -> None:
    """Print a new secret of a webhook; for a day the one before signs too.

    \b
    park notices renew webhook-4zr3q...
    """
    secret = park().notices.renew_secret(webhook_id)
    if as_json:
        print_json({"webhook_id": webhook_id, "secret": secret})
    else:
        click.echo(secret)


@notices.command()
@click.argument("webhook_id")
@click.option("--off", is_flag=True, help="Turn it off; what waits for it is kept for a week.")
@json_option
def turn(webhook_id: str, off: bool, as_json: bool) -> None:
    """Turn a webhook on again, or off.

    \b
    park notices turn webhook-4zr3q...
    park notices turn webhook-4zr3q... --off
    """
    found = park().notices.set_on(webhook_id, not off)
    if as_json:
        print_json(found)
    else:
        click.echo(_("Kept."))


@notices.command("end")
@click.argument("webhook_id")
@json_option
def end_webhook(webhook_id: str, as_json: bool) -> None:
    """End a webhook, and drop what waits for it.

    \b
    park notices end webhook-4zr3q...
    """
    park().notices.end_webhook(webhook_id)
    if as_json:
        print_json({"webhook_id": webhook_id, "is_ended": True})
    else:
        click.echo(_("Ended {name}.", name=clean(webhook_id)))


@notices.command()
@click.option("--by", "way", default="email", metavar="WAY", help="email, or the id of a webhook (default: email).")
@json_option
def test(way: str, as_json: bool) -> None:
    """Have a test sent by one way.

    \b
    park notices test
    park notices test --by webhook-4zr3q...
    """
    delivery_id = park().notices.test(way)
    if as_json:
        print_json({"delivery_id": delivery_id})
    else:
        click.echo(_("A test is on its way ({name}); see: park notices sent", name=delivery_id))


@notices.command()
@click.option("--limit", default=20, type=click.IntRange(1, 500), help="How many (default: 20).")
@json_option
def sent(limit: int, as_json: bool) -> None:
    """List what was sent to you, the newest first, and how it went.

    \b
    park notices sent
    """
    found = park().notices.deliveries(limit)
    if as_json:
        print_items(found)
        return
    keys = ("delivery_id", "kind", "way", "state", "answer", "created_at")
    heads = (_("message"), _("kind"), _("way"), _("state"), _("answer"), _("since"))
    print_table(heads, [[str(item[key] or "-") for key in keys] for item in found])


@notices.command()
@click.argument("delivery_id")
@json_option
def resend(delivery_id: str, as_json: bool) -> None:
    """Have one message sent once more; it keeps its id.

    \b
    park notices resend delivery-4zr3q...
    """
    park().notices.send_again(delivery_id)
    if as_json:
        print_json({"delivery_id": delivery_id, "is_sent_again": True})
    else:
        click.echo(_("It is sent once more."))
