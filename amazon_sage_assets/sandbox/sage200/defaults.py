"""What a new company file holds: identity, control accounts, rules for dates, and Sage's own lists of names."""

SETTINGS = {
    "company_name": "Calm Kettle Ltd",
    "company_id": "2",
    "site_id": "5b0c2f4e-0000-4000-8000-0a1b2c3d4e5f",
    "site_name": "Calm Kettle",
    "site_short_name": "CALMK",
    "vat_number": "GB123456789",
    # Nominal accounts that Sage posts to by itself.
    "debtors": "1100",
    "output_vat": "2200",
    "input_vat": "2201",
    "exchange_differences": "7900",
    # The code that a line takes when it names none.
    "default_tax_code": "1",
    "next_urn": "1327",
    # Numbers of ten digits that sales order processing gives by itself.
    "next_order_number": "187",
    "next_return_number": "41",
    "next_despatch_number": "154",
    "next_receipt_number": "38",
    "next_invoice_number": "213",
    "next_credit_note_number": "31",
    # How a date is classed: Normal, Acceptable or Unacceptable.
    "closed_period": "Unacceptable",
    "future_period": "Acceptable",
    "previous_year": "Acceptable",
    "future_year": "Acceptable",
    "number_open_periods": "20",
}

INVOICE = "TradingAccountEntryTypeInvoice"
CREDIT_NOTE = "TradingAccountEntryTypeCreditNote"
SALES_RECEIPT = "TradingAccountEntryTypePurchasePaymentSalesReceipt"
SALES_PAYMENT = "TradingAccountEntryTypePurchaseReceiptSalesPayment"
BANK_PAYMENT = "BankAccountEntryTypePayment"
BANK_RECEIPT = "BankAccountEntryTypeReceipt"
STANDARD, FREE_TEXT, CHARGE, COMMENT = LINE_TYPES = (
    "EnumLineTypeStandard",
    "EnumLineTypeFreeText",
    "EnumLineTypeCharge",
    "EnumLineTypeComment",
)
LIVE, ON_HOLD, COMPLETE, DISPUTE, CANCELLED, DRAFT, PRINTED, LOST = DOCUMENT_STATUSES = tuple(
    f"EnumDocumentStatus{name}"
    for name in ("Live", "OnHold", "Complete", "Dispute", "Cancelled", "Draft", "Printed", "Lost")
)
# The name of the middle one is not published; a client takes it from the list.
NONE, PART, FULL = PROCESS_STATUSES = tuple(f"EnumDocumentProcessStatus{name}" for name in ("None", "Part", "Full"))
CONFIRMATION_INTENTS = ("ConfirmOnDespatch", "Confirm")
NORMAL, ACCEPTABLE, UNACCEPTABLE = CLASSIFICATIONS = ("Normal", "Acceptable", "Unacceptable")
LEDGERS = ("LedgerNominal", "LedgerSales", "LedgerPurchase", "LedgerCashBook", "LedgerStock", "LedgerSOP", "LedgerPOP",
           "LedgerWebAPI", "LedgerBankFeeds")  # fmt: skip

# Description and value, in the order of their numbers.
ENUMERATIONS = {
    "trader_transaction_types": {
        "Invoice": INVOICE,
        "Credit note": CREDIT_NOTE,
        "Purchase payment/Sales receipt": SALES_RECEIPT,
        "Purchase receipt/Sales payment": SALES_PAYMENT,
    },
    "bank_entry_types": {"Payment": BANK_PAYMENT, "Receipt": BANK_RECEIPT},
    "transaction_date_validation_classifications": {name: name for name in CLASSIFICATIONS},
    "sop_line_types": {name.removeprefix("EnumLineType"): name for name in LINE_TYPES},
    "sop_document_status_types": {name.removeprefix("EnumDocumentStatus"): name for name in DOCUMENT_STATUSES},
    "sop_document_process_status_types": {
        name.removeprefix("EnumDocumentProcessStatus"): name for name in PROCESS_STATUSES
    },
    "sop_confirmation_intent_types": {name: name for name in CONFIRMATION_INTENTS},
    "ledger_types": {name.removeprefix("Ledger"): name for name in LEDGERS},
}
