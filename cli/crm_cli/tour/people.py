"""Made-up people: a Chinese name, a mainland mobile number and an e-mail address, the same ones for the
same seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# Surnames with pinyin and weight: roughly how many of 1,000 people bear them.
_SURNAMES_WRITTEN = """
    王:wang:73 李:li:72 张:zhang:68 刘:liu:54 陈:chen:45 杨:yang:31 黄:huang:22 赵:zhao:21
    吴:wu:20 周:zhou:19 徐:xu:15 孙:sun:15 马:ma:13 朱:zhu:13 胡:hu:12 郭:guo:12 何:he:12
    林:lin:11 高:gao:11 罗:luo:10 郑:zheng:9 梁:liang:9 谢:xie:8 宋:song:7 唐:tang:7 许:xu:6
    邓:deng:6 韩:han:6 冯:feng:6 曹:cao:6 彭:peng:5 曾:zeng:5 肖:xiao:5 田:tian:5 董:dong:5
    潘:pan:5 袁:yuan:5 蔡:cai:5 蒋:jiang:5 余:yu:5 于:yu:5 杜:du:5 叶:ye:4 程:cheng:4
    魏:wei:4 苏:su:4 吕:lv:4 丁:ding:4 任:ren:4 卢:lu:4 姚:yao:4 沈:shen:4 钟:zhong:4
    姜:jiang:3 崔:cui:3 谭:tan:3 陆:lu:3 范:fan:3 汪:wang:3 廖:liao:3 石:shi:3 金:jin:3
    韦:wei:3 贾:jia:3 夏:xia:3 付:fu:3 方:fang:3 邹:zou:3 熊:xiong:2 白:bai:2 孟:meng:2
    秦:qin:2 邱:qiu:2 侯:hou:2 江:jiang:2 尹:yin:2 薛:xue:2 闫:yan:2 段:duan:2 雷:lei:2
    龙:long:2 黎:li:2 史:shi:2 陶:tao:2 贺:he:2 欧阳:ouyang:1 上官:shangguan:1 司马:sima:1
    诸葛:zhuge:1
"""
# Characters of given names with pinyin: those that come first of two, and those that end a name.
_FIRST_WRITTEN = """
    子:zi 雨:yu 晓:xiao 文:wen 思:si 佳:jia 志:zhi 建:jian 俊:jun 嘉:jia 梓:zi 一:yi 若:ruo
    欣:xin 浩:hao 宇:yu 明:ming 国:guo 海:hai 春:chun 秀:xiu 玉:yu 桂:gui 美:mei 诗:shi
    梦:meng 静:jing 婉:wan 天:tian 永:yong 德:de 世:shi 振:zhen 泽:ze 瑞:rui 景:jing 书:shu
    语:yu 念:nian 以:yi 可:ke 亦:yi
"""
_LAST_WRITTEN = """
    轩:xuan 涵:han 怡:yi 琪:qi 彤:tong 博:bo 强:qiang 磊:lei 鹏:peng 超:chao 勇:yong 斌:bin
    辉:hui 敏:min 燕:yan 霞:xia 娟:juan 丽:li 芳:fang 娜:na 婷:ting 雪:xue 倩:qian 颖:ying
    琳:lin 悦:yue 宁:ning 晨:chen 睿:rui 洋:yang 哲:zhe 凯:kai 峰:feng 涛:tao 刚:gang 伟:wei
    军:jun 兰:lan 萍:ping 红:hong 莹:ying 玲:ling 瑶:yao 妍:yan 然:ran 豪:hao 梅:mei 杰:jie
    航:hang 蕾:lei 彬:bin 楠:nan 曦:xi 璐:lu
"""
# Number ranges that the carriers use for mobile phones.
_RANGES = (
    *range(130, 140), 150, 151, 152, 153, 155, 156, 157, 158, 159, 173, 175, 176, 177, 178, *range(180, 190),
)  # fmt: skip
# Reserved for examples: no mail ever reaches anybody.
_MAIL_DOMAINS = ("example.com", "example.net", "example.org")
_ONE_CHARACTER_GIVEN_NAMES = 0.14


_SURNAMES = [tuple(entry.split(":")) for entry in _SURNAMES_WRITTEN.split()]
_WEIGHTS = [int(weight) for *_, weight in _SURNAMES]
_FIRST = [tuple(entry.split(":")) for entry in _FIRST_WRITTEN.split()]
_LAST = [tuple(entry.split(":")) for entry in _LAST_WRITTEN.split()]


@dataclass(frozen=True)
class MadeUpPerson:
    """`phone` has 11 digits as people write it; `email` is lower case."""

    full_name: str
    phone: str
    email: str


def make_up(seed: str) -> Iterator[MadeUpPerson]:
    """People without end, no two with the same phone or e-mail address; the same ones for the same `seed`."""
    chance = Random(seed)
    phones: set[str] = set()
    emails: set[str] = set()
    while True:
        surname, surname_pinyin, _ = chance.choices(_SURNAMES, _WEIGHTS)[0]
        given, given_pinyin = _given_name(chance)
        phone = _phone(chance)
        email = (
            f"{surname_pinyin}.{given_pinyin}{chance.randrange(10, 10_000)}@{chance.choice(_MAIL_DOMAINS)}"
        )
        if phone in phones or email in emails:
            continue
        phones.add(phone)
        emails.add(email)
        yield MadeUpPerson(surname + given, phone, email)


def _given_name(chance: Random) -> tuple[str, str]:
    last, last_pinyin = chance.choice(_LAST)
    if chance.uniform(0, 1) < _ONE_CHARACTER_GIVEN_NAMES:
        return last, last_pinyin
    first, first_pinyin = chance.choice(_FIRST)
    return first + last, first_pinyin + last_pinyin


def _phone(chance: Random) -> str:
    return f"{chance.choice(_RANGES)}{chance.randrange(100_000_000):08d}"
