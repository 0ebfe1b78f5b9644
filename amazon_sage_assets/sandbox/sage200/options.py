"""What nobody outside Sage can look up: each open question about the real server is a switch here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Options:
    """How this Sage behaves where its documentation is silent. A client must get along with every setting."""

    # The status of a successful POST: the specification says 200, the FAQ 201.
    post_status: Literal[200, 201] = 200
    # {"urn": 1327}, or the string that the schema promises.
    urn_as_text: bool = False
    # What the body of a refusal looks like.
    error_shape: Literal["Message", "message_list", "text", "html", "model_state"] = "Message"
    # Whether `cheque_value` of a payment is negative in `bank_posted_transactions`.
    payments_negative: bool = False
    # Whether a credit note has negative document values when it is read back.
    credit_notes_negative: bool = True
    # Whether 'po-1' and 'PO-1' are different strings in a filter.
    reference_case_sensitive: bool = False
    # What a bank transfer answers: the transfer, an urn, or an empty body.
    transfer_answer: Literal["object", "urn", "empty"] = "object"
    # What happens to a text that is longer than its field.
    over_length: Literal["refuse", "cut"] = "refuse"
    # Whether a second document of a kind with the same reference, bank and customer is refused.
    refuse_duplicate_reference: bool = False
    # Whether lines of bank payments and receipts must be positive, and their sum too.
    refuse_negative_lines: bool = True
    # False: nominal postings wait for POST /_sandbox/update_nominal.
    nominal_online: bool = True
    # Whether the credit side of an allocation has positive or negative values; the debit side is positive.
    allocation_credit_sign: Literal["positive", "negative", "either"] = "either"
    # The settings of sales order processing that a client must read before it writes (`/sop_settings`).
    auto_generate_order_return_numbers: bool = True
    amend_nominal_codes: bool = True
    are_prices_tax_inclusive: bool = False
    allocate_stock_on_order_entry: bool = True
    update_stock_on_despatch: bool = True
    record_tracking_on_despatch: bool = True
    # What happens to a free text line or a charge with a negative price.
    negative_lines: Literal["accept", "refuse"] = "accept"
    # Whether this user may type prices; if not, what happens to a price that is sent for a product or a known charge.
    price_permission: Literal["ok", "ignored", "refused"] = "ok"
    # Whether a second order of a customer with the same `customer_document_no` is refused.
    refuse_duplicate_customer_document_no: bool = False
    # Whether goods can be despatched that are not in stock.
    despatch_without_stock: Literal["accept", "refuse"] = "accept"
    # What stands in the second reference of an invoice from an order.
    invoice_second_reference: Literal["customer_order", "order_number", "blank"] = "customer_order"
    # False: a site older than 2025 R1, where returns cannot be written.
    has_sop_returns: bool = True
    # Whether an exchange rate of 1.25 means 1.25 foreign for 1.00 of the base currency, or the other way round.
    rates_are: Literal["foreign_per_base", "base_per_foreign"] = "foreign_per_base"
    # How long an access token lasts.
    access_token_seconds: int = 28800
    # Whether using a spent refresh token ends the tokens that came after it.
    refresh_reuse_kills_family: bool = True
    # How long a request takes, before any work.
    latency_seconds: float = 0.05
    # Whether the server works on one request at a time, and what a second one meets.
    one_at_a_time: bool = True
    busy_answer: Literal["queue", "504"] = "queue"
