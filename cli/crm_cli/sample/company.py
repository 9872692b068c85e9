"""The sample company as data: who works there, whom it sells to, what it sells. All of it is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from crm_cli.tour.people import MadeUpPerson, make_up

SEED = "sample company"

# Teams with the team above them, parents first.
TEAMS: Sequence[tuple[str, str]] = (
    ("总公司", ""),
    ("销售中心", "总公司"),
    ("华东销售部", "销售中心"),
    ("华南销售部", "销售中心"),
    ("客户服务部", "总公司"),
    ("市场部", "总公司"),
    ("合规与审计部", "总公司"),
)


@dataclass(frozen=True)
class Staff:
    """A member of staff: `role` is the id of a role preset, `team` a name of TEAMS."""

    login: str
    name: str
    role: str
    team: str


STAFF: Sequence[Staff] = (
    Staff("zhang.wei", "张伟", "sales_manager", "华东销售部"),
    Staff("li.na", "李娜", "seller", "华东销售部"),
    Staff("wang.qiang", "王强", "seller", "华东销售部"),
    Staff("chen.jing", "陈静", "seller", "华南销售部"),
    Staff("zhao.min", "赵敏", "service_manager", "客户服务部"),
    Staff("liu.yang", "刘洋", "agent", "客户服务部"),
    Staff("sun.li", "孙丽", "marketer", "市场部"),
    Staff("zhou.tao", "周涛", "privacy_officer", "合规与审计部"),
    Staff("wu.bin", "吴斌", "auditor", "合规与审计部"),
)
SELLERS = tuple(one.login for one in STAFF if one.role == "seller")
# The customer who signs in to the portal, by the number at the ERP.
PORTAL_ROLE = "customer"
PORTAL_LOGIN = "customer.h005"
PORTAL_CUSTOMER = "H-005"
ERP_ROLE = "integration"
ERP_NAME = "ERP"


@dataclass(frozen=True)
class Place:
    """`region` is the code of the city in registry numbers, `area` its dialling code."""

    province: str
    city: str
    region: str
    area: str


PLACES = (
    Place("上海市", "上海市", "310000", "021"),
    Place("江苏省", "苏州市", "320500", "0512"),
    Place("浙江省", "杭州市", "330100", "0571"),
    Place("浙江省", "宁波市", "330200", "0574"),
    Place("广东省", "深圳市", "440300", "0755"),
    Place("广东省", "广州市", "440100", "020"),
    Place("福建省", "福州市", "350100", "0591"),
    Place("安徽省", "合肥市", "340100", "0551"),
)
_COMPANY_WORDS = (
    "云帆", "恒信", "启明", "博远", "华泽", "瑞丰", "天衡", "海纳", "鼎盛", "新禾",
    "青松", "卓越", "中辰", "凌云", "嘉禾", "德润", "宏图", "优联", "百川", "星河",
)  # fmt: skip
# Endings of company names with the industry.
_TRADES: Sequence[tuple[str, str]] = (
    ("软件有限公司", "软件和信息技术服务"),
    ("精密制造有限公司", "制造业"),
    ("商贸有限公司", "批发和零售"),
    ("物流有限公司", "交通运输和仓储"),
    ("教育科技有限公司", "教育"),
)
CHANNELS = ("老客户推荐", "官网", "展会", "百度SEM", "门店")

# External id, name, category, price in CNY.
PRODUCTS: Sequence[tuple[str, str, str, int]] = (
    ("P-100", "CRM 标准版（年）", "软件订阅", 9_800),
    ("P-110", "CRM 专业版（年）", "软件订阅", 29_800),
    ("P-200", "实施服务（人天）", "服务", 2_000),
    ("P-210", "操作培训（场）", "服务", 3_500),
    ("P-300", "手持扫码终端", "硬件", 1_680),
    ("P-310", "标签打印机", "硬件", 2_380),
)
# They buy every other week.
_REGULARS = ("C-002", "H-005")


@dataclass(frozen=True)
class SampleCompany:
    """`size` from 1, micro, to 4, large."""

    number: str
    name: str
    industry: str
    credit_code: str
    switchboard: str
    size: int
    place: Place
    owner: str
    channel: str


@dataclass(frozen=True)
class SamplePerson:
    number: str
    who: MadeUpPerson
    place: Place
    owner: str
    channel: str


@dataclass(frozen=True)
class SampleOrder:
    """`days_ago` counts back from the day of loading; `lines` are (product, quantity)."""

    number: str
    buyer: str
    days_ago: int
    lines: Sequence[tuple[str, int]]

    @property
    def amount(self) -> int:
        """In CNY."""
        prices = {product: price for product, _, _, price in PRODUCTS}
        return sum(prices[product] * quantity for product, quantity in self.lines)


def companies() -> list[SampleCompany]:
    """The 20 companies, always the same ones."""
    chance = Random(SEED)
    made = []
    for index, word in enumerate(_COMPANY_WORDS):
        place = PLACES[index % len(PLACES)]
        ending, industry = _TRADES[index % len(_TRADES)]
        made.append(
            SampleCompany(
                number=f"C-{index + 1:03d}",
                name=f"{place.city.removesuffix('市')}{word}示例{ending}",
                industry=industry,
                credit_code=credit_code(f"91{place.region}{chance.randrange(10**9):09d}"),
                switchboard=f"{place.area}-{chance.randrange(60_000_000, 89_999_999)}",
                size=chance.randint(1, 4),
                place=place,
                owner=SELLERS[index % len(SELLERS)],
                channel=chance.choice(CHANNELS),
            )
        )
    return made


def people() -> list[SamplePerson]:
    """The 40 people, always the same ones."""
    chance = Random(f"{SEED}, people")
    return [
        SamplePerson(
            number=f"H-{index + 1:03d}",
            who=who,
            place=PLACES[index % len(PLACES)],
            owner=SELLERS[index % len(SELLERS)],
            channel=chance.choice(CHANNELS),
        )
        for index, who in enumerate(islice(make_up(SEED), 40))
    ]


def orders() -> list[SampleOrder]:
    """Orders of two thirds of the customers, most of them recent; every tier and RFM class has somebody."""
    chance = Random(f"{SEED}, orders")
    buyers = [company.number for company in companies()[:16]] + [person.number for person in people()[:24]]
    made: list[SampleOrder] = []
    for buyer in buyers:
        of_company = buyer.startswith("C")
        if buyer in _REGULARS:
            ages = [1 + 13 * order for order in range(27)]  # every other week, the last one yesterday
        else:
            ages = [1 + int(420 * chance.uniform(0, 1) ** 2) for _ in range(chance.randint(1, 5))]
        for days_ago in ages:
            products = chance.sample(PRODUCTS if of_company else PRODUCTS[4:], chance.randint(1, 2))
            lines = [(product[0], chance.randint(1, 3 if of_company else 1)) for product in products]
            made.append(SampleOrder(f"S-{len(made) + 1:04d}", buyer, days_ago, lines))
    return made


_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(body: str) -> str:
    """The 统一社会信用代码 of 18 characters that begins with these 17 (GB 32100-2015: check character)."""
    weighted = sum(_CODE_CHARACTERS.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + _CODE_CHARACTERS[-weighted % 31]
