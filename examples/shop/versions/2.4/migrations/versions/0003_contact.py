"""Call the customer `contact`.

Not backward compatible: the release that still serves users while this runs writes `customer`, and each of its
checkouts fails from here on. The way to do it: add `contact`, write both, move the readers, and drop `customer` some
releases later.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE orders RENAME COLUMN customer TO contact")


def downgrade() -> None:
    op.execute("ALTER TABLE orders RENAME COLUMN contact TO customer")
