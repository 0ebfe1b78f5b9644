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
    "ledger_types": {name.removeprefix("Ledger"): name for name in LEDGERS},
}
