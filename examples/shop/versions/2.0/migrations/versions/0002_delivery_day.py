"""The day of delivery that the new checkout promises. Additive: the release before this one goes on as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("delivery_day", sa.Text, nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "delivery_day")
