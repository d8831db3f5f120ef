"""Products and orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    products = op.create_table(
        "products",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("price_cents", sa.Integer, nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("total_cents", sa.Integer, nullable=False),
        sa.Column("ordered_at", sa.DateTime, nullable=False, server_default=sa.func.current_timestamp()),
    )
    op.bulk_insert(
        products,
        [
            {"name": "coffee", "price_cents": 1190},
            {"name": "mug", "price_cents": 850},
            {"name": "tea", "price_cents": 640},
        ],
    )


def downgrade() -> None:
    op.drop_table("orders")
    op.drop_table("products")
