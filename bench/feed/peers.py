"""A feed read by Python's XML parsers, and feeds of many products written by templates.

peers.py minidom|lxml FILE RUNS
peers.py jinja2|zope FILE RUNS PRODUCTS

The templates are made of the feed of one product in FILE, whose every text is a field that is filled in and escaped. Prints the
nanoseconds of each run, and at the end the most memory that the process had, in KiB.
"""

import html
import re
import resource
import sys
import time

which, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])


def minidom():
    import xml.dom.minidom

    return lambda: xml.dom.minidom.parse(path)


def lxml():
    import lxml.etree

    return lambda: lxml.etree.parse(path, lxml.etree.XMLParser(huge_tree=True))


def template(mark):
    """What stands before the product, the product with `mark` in place of its elements, what stands behind it, and products."""
    fields = {}

    def field(value):
        name = f"f{len(fields)}"
        fields[name] = html.unescape(value)
        return name

    def element(found):
        name, attributes, text = found.group(1, 2, 3)
        attributes = [(attribute, field(value)) for attribute, value in re.findall(r'(\w+)="([^"]*)"', attributes)]
        return mark(name, attributes, field(text) if text else None)

    with open(path) as file:
        text = file.read()
    begin, end = text.index("<entry"), text.index("</entry>") + len("</entry>\n")
    entry = re.sub(r'<(\w+)((?: \w+="[^"]*")*)(?:>([^<]+)</\1>| />)', element, text[begin:end])
    products = [
        {name: value.replace("PRODUCT", f"Product{number}") for name, value in fields.items()}
        for number in range(int(sys.argv[4]))
    ]
    return text[:begin], entry, text[end:], products


def jinja2():
    import jinja2

    def mark(name, attributes, text):
        attributes = "".join(f' {attribute}="{{{{ product.{field}|e }}}}"' for attribute, field in attributes)
        return f"<{name}{attributes}>{{{{ product.{text}|e }}}}</{name}>" if text else f"<{name}{attributes} />"

    head, entry, tail, products = template(mark)
    text = f"{head}{{% for product in products %}}{entry}{{% endfor %}}{tail}"
    made = jinja2.Environment().from_string(text)
    return lambda: made.render(products=products)


def zope():
    from zope.pagetemplate.pagetemplate import PageTemplate

    def mark(name, attributes, text):
        attributes = "; ".join(f"{attribute} product/{field}" for attribute, field in attributes)
        attributes = f' tal:attributes="{attributes}"' if attributes else ""
        content = f' tal:content="product/{text}"' if text else ""
        return f"<{name}{attributes}{content} />"

    head, entry, tail, products = template(mark)
    head = head.replace("<feed", '<feed xmlns:tal="http://xml.zope.org/namespaces/tal"', 1)
    entry = entry.replace("<entry", '<entry tal:repeat="product options/products"', 1)
    made = PageTemplate()
    made.pt_edit(head + entry + tail, "text/xml")
    return lambda: made(products=products)


work = {"minidom": minidom, "lxml": lxml, "jinja2": jinja2, "zope": zope}[which]()
for _ in range(runs):
    start = time.perf_counter_ns()
    kept = work()
    print(time.perf_counter_ns() - start)
    del kept
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
if which in ("jinja2", "zope"):
    # What was written is a feed of so many products.
    import xml.etree.ElementTree

    entries = xml.etree.ElementTree.fromstring(work().encode()).findall("{*}entry")
    if len(entries) != int(sys.argv[4]) or entries[1].findtext("{*}productId") != "Product1":
        sys.exit(f"{which} has written {len(entries)} products")
