/// The files of `deploy/prompts` by name; the package manifest embeds them and makes an identifier of each name.
let embeddedPrompts: [String: [UInt8]] = [
    "legal.en.md": PackageResources.legal_en_md, "legal.ru.md": PackageResources.legal_ru_md,
    "marketing.en.md": PackageResources.marketing_en_md, "marketing.ru.md": PackageResources.marketing_ru_md,
    "finance.en.md": PackageResources.finance_en_md, "finance.ru.md": PackageResources.finance_ru_md,
    "sales.en.md": PackageResources.sales_en_md, "sales.ru.md": PackageResources.sales_ru_md,
    "management.en.md": PackageResources.management_en_md, "management.ru.md": PackageResources.management_ru_md,
    "hr.en.md": PackageResources.hr_en_md, "hr.ru.md": PackageResources.hr_ru_md,
    "general.en.md": PackageResources.general_en_md, "general.ru.md": PackageResources.general_ru_md,
]
