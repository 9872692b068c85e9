"""The fields a column of a file can go to, and what people call them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Of a file; more are no table of customers.
MOST_COLUMNS = 200
PERSON, COMPANY = "person", "company"
KINDS = (PERSON, COMPANY)


@dataclass(frozen=True)
class Field:
    """A field of a customer as a file may hold it.

    `kind` is "person" or "company", empty for both. `many`: several columns may go to it. `called`
    are headers in the form of `header_form`.
    """

    name: str
    kind: str
    many: bool
    called: frozenset[str]


_DECORATION = re.compile(r"[(（\[【].*?[)）\]】]|[\s_\-./:：*＊#·]+")


def header_form(header: str) -> str:
    """A header without case, width, blanks, marks and remarks in brackets: "手机号 (必填)*" -> "手机号"."""
    return _DECORATION.sub("", unicodedata.normalize("NFKC", header).casefold())


def _field(name: str, called: str, *, many: bool) -> Field:
    kind = name.partition(".")[0]
    return Field(name, kind if kind in KINDS else "", many, frozenset(map(header_form, called.split())))


_PHONES = """
    手机 手机号 手机号码 移动电话 电话 电话号码 联系电话 联系方式 固定电话 座机 办公电话 家庭电话 备用电话
    手机1 手机2 电话1 电话2 phone phones phonenumber mobile mobilephone mobilenumber cell cellphone
    tel telephone phone1 phone2 homephone workphone contactnumber
"""
_EMAILS = """
    邮箱 电子邮箱 邮箱地址 电子邮件 邮件 邮件地址 email emails emailaddress mail mailaddress email1 email2
"""
_ADDRESS = """
    地址 详细地址 联系地址 通讯地址 通信地址 街道地址 街道 门牌号 address streetaddress street addressline1
    addressline2 address1 address2 streetnumber
"""
_CALLED = {
    "external_id": """
        编号 客户编号 客户号 客户代码 客户编码 客户id 会员号 会员编号 会员id 外部编号 id customerid customerno
        customernumber customercode custid custno externalid recordid recid memberid memberno code
    """,
    "person.full_name": """
        姓名 客户姓名 客户名称 客户名 名称 名字 联系人 联系人姓名 会员姓名 name fullname customername
        contactname contact personname
    """,
    "person.given_name": "名 givenname givennames firstname forename",
    "person.surname": "姓 姓氏 surname lastname familyname",
    "person.phones": _PHONES,
    "person.emails": _EMAILS,
    "person.street_address": f"{_ADDRESS} 家庭地址 住址 家庭住址 居住地址 收货地址",
    "person.birth_date": "生日 出生日期 出生年月日 出生日 birthday birthdate dateofbirth dob born",
    "person.identity_number": """
        身份证 身份证号 身份证号码 证件号 证件号码 idnumber idcard idcardnumber identitynumber nationalid
        socsecid ssn socialsecuritynumber passport passportnumber
    """,
    "company.name": """
        公司 公司名称 公司名 企业名称 企业 单位名称 单位 客户名称 名称 company companyname organization
        organisation corporation name customername
    """,
    "company.credit_code": """
        统一社会信用代码 社会信用代码 信用代码 税号 纳税人识别号 creditcode uscc unifiedsocialcreditcode taxid
        taxnumber
    """,
    "company.phones": f"{_PHONES} 公司电话 总机 企业电话",
    "company.emails": f"{_EMAILS} 公司邮箱 企业邮箱",
    "company.registered_address": f"{_ADDRESS} 注册地址 公司地址 企业地址 经营地址 registeredaddress",
    "company.size": "规模 公司规模 企业规模 人员规模 size companysize",
    "source_channel": """
        来源 客户来源 渠道 来源渠道 获客渠道 source channel sourcechannel leadsource acquisitionchannel
    """,
    "industry": "行业 所属行业 客户行业 行业类别 行业分类 industry sector",
    "province": "省 省份 所在省 所在省份 province state",
    "city": "市 城市 所在城市 所在市 地市 city town suburb",
    "tags": "标签 客户标签 tags tag labels label",
}
_MANY = ("phones", "emails", "street_address", "registered_address", "tags")

FIELDS = tuple(
    _field(name, called, many=name.rpartition(".")[2] in _MANY) for name, called in _CALLED.items()
)
BY_NAME = {field.name: field for field in FIELDS}
# One of these groups of fields must be mapped, all of its members.
NAMES = {PERSON: ("person.full_name", "person.surname", "person.given_name"), COMPANY: ("company.name",)}


def usable(field: Field, kind: str) -> bool:
    """Whether a customer of `kind` has the field."""
    return field.kind in ("", kind)
