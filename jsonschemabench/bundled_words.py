"""The vocabulary of the bundled set: functions, fields of data models, Kubernetes-like kinds, events, stories, settings.

Everything here was written for this package. A field is `name: kind` in the small language of `nodes.field`; a trailing `!` on a name
means that it is required. make_bundled draws from these tables.
"""

from __future__ import annotations

__all__ = ["EVENTS", "FUNCTIONS", "KINDS", "MODELS", "SETTINGS", "STORY_PARTS"]

# Name of a function: its purpose, then its parameters.
FUNCTIONS: dict[str, str] = {
    "book_table": "Reserve a table in a restaurant | restaurant!: text | guests!: int 1 20 | day!: format date | at: pattern clock | smoking: flag",
    "convert_currency": "Convert an amount of money | amount!: num 0 1000000 | source!: enum EUR|USD|GBP|JPY | target!: enum EUR|USD|GBP|JPY",
    "get_forecast": "The weather of the next days | place!: text | days: int 1 14 | units: enum metric|imperial",
    "send_mail": "Send a message | to!: list format email | subject!: text 1 80 | body!: text | urgent: flag",
    "create_event": "Put an event into the calendar | title!: text 1 60 | starts!: format date-time | ends: format date-time | guests: list format email",
    "find_flights": "Search for flights | origin!: enum LIS|OPO|BER|CDG|LHR | destination!: enum LIS|OPO|BER|CDG|LHR | day!: format date | seats: int 1 9",
    "set_thermostat": "Set the temperature of a room | room!: enum kitchen|bedroom|office | celsius!: num 5 30 | until: pattern clock",
    "play_song": "Play music | artist: text | track!: text | volume: int 0 100 5 | shuffle: flag",
    "translate": "Translate a text | text!: text 1 500 | into!: enum de|fr|pt|ja|tr | formal: flag",
    "order_parts": "Order parts from the store | part!: pattern code | count!: int 1 500 | express: flag | note: text 0 120?",
    "search_books": "Find books | query!: text | author: text? | from_year: int 1450 2030 | languages: set enum en|de|fr|pt",
    "calculate_loan": "Monthly rate of a loan | amount!: num 100 1000000 | years!: int 1 40 | rate!: num 0 25",
    "create_ticket": "Open a ticket | summary!: text 5 120 | severity!: enum low|medium|high | tags: set pattern slug | assignee: format email?",
    "resize_image": "Change the size of a picture | file!: pattern path | width!: int 16 4096 16 | height: int 16 4096 16 | keep_ratio: flag",
    "lookup_ip": "Where an address is | address!: format ipv4 | details: flag",
    "track_parcel": "Where a parcel is | number!: pattern code | carrier: enum north|south|air | notify: format email",
    "log_workout": "Write down a workout | sport!: enum run|swim|bike|row | minutes!: int 1 600 | heart_rate: int 40 220? | felt: enum good|fine|bad",
    "plan_route": "Plan a way | start!: text | goal!: text | by!: enum car|bike|foot|train | avoid: set enum toll|ferry|motorway",
    "rate_film": "Rate a film | title!: text | stars!: int 1 5 | spoiler: flag | review: text 0 300",
    "transfer_money": "Move money between accounts | source!: pattern token | target!: pattern token | cents!: int 1 10000000 | memo: text 0 40",
    "read_sensor": "Ask a sensor | sensor!: format uuid | unit: enum C|F|K | samples: int 1 100",
    "set_alarm": "Wake somebody up | at!: pattern clock | days: set enum mon|tue|wed|thu|fri|sat|sun | label: text 0 30",
    "create_user": "Add a user | name!: text 2 40 | email!: format email | role!: enum reader|writer|owner | phone: pattern phone",
    "add_recipe": "Store a recipe | dish!: text | serves!: int 1 40 | minutes: int 1 900 | ingredients!: list text | vegan: flag",
    "dim_lights": "Change the light | lamps!: set pattern slug | level!: int 0 100 10 | colour: pattern colour",
    "run_query": "Ask the database | table!: pattern slug | columns!: set pattern slug | limit: int 1 1000 | descending: flag",
    "open_valve": "Let water flow | valve!: pattern code | litres!: num 0 5000 | seconds: int 1 3600",
    "check_domain": "Whether a name is free | name!: format hostname | years: int 1 10 | privacy: flag",
    "schedule_post": "Publish later | text!: text 1 280 | at!: format date-time | links: list format uri | audience: enum all|friends|me",
    "tag_release": "Tag a version | repository!: format uri | version!: pattern version | notes: text | draft: flag",
    "hire_car": "Rent a car | place!: text | pick_up!: format date | days!: int 1 60 | size: enum small|middle|large|van | extras: set enum seat|chains|driver",
    "measure_distance": "How far it is | lat_a!: num -90 90 | lon_a!: num -180 180 | lat_b!: num -90 90 | lon_b!: num -180 180",
}  # fmt: skip

# Data models as people keep in repositories: name: fields.
MODELS: dict[str, str] = {
    "address": "street!: text 1 80 | number: text 0 8 | city!: text 1 60 | zip: pattern token | country!: enum PT|DE|FR|TR|JP | geo: any",
    "person": "name!: text 1 60 | email: format email | born: format date | phone: pattern phone? | languages: set enum en|de|pt|tr",
    "product": "sku!: pattern code | title!: text 1 120 | price!: num 0 100000 | stock: int 0 100000 | colours: set pattern colour | active: flag",
    "server": "host!: format hostname | port!: int 1 65535 | address: format ipv4 | secure: flag | timeout: pattern duration | tags: list pattern slug",
    "build": "commit!: pattern token | version!: pattern version | started!: format date-time | ok!: flag | warnings: int 0 9999 | log: format uri",
    "sensor": "id!: format uuid | kind!: enum heat|light|sound|door | value!: num -1000 1000 | unit: text 1 8 | at!: format date-time | flags: set text",
    "course": "code!: pattern code | title!: text 3 90 | points!: int 1 30 | term: enum spring|autumn | teacher: text? | needs: set pattern code",
    "invoice": "number!: pattern code | issued!: format date | due: format date | total!: num 0 1000000 | paid!: flag | lines: list text",
    "player": "nick!: pattern slug | level!: int 1 99 | score!: int 0 1000000 10 | guild: text 0 30? | banned: flag | badges: set enum gold|silver|tin",
    "theme": "name!: pattern slug | primary!: pattern colour | secondary: pattern colour | dark: flag | radius: int 0 32 2 | font: text 1 40",
    "vehicle": "plate!: pattern code | maker!: text 1 30 | doors: enum two|three|five | year!: int 1950 2030 | electric: flag | range_km: num 0 2000",
    "article": "slug!: pattern slug | headline!: text 5 140 | published: format date-time? | words: int 0 20000 | authors!: list text | url: format uri",
    "job": "id!: format uuid | queue!: pattern slug | state!: enum new|running|done|failed | attempts: int 0 10 | after: pattern duration | payload: any",
    "plant": "latin!: text 3 60 | height_cm: num 0 12000 | evergreen: flag | months: set enum spring|summer|autumn|winter | soil: enum acid|neutral|lime",
    "device": "serial!: pattern token | firmware!: pattern version | online!: flag | battery: int 0 100 | seen: format date-time | room: text 0 30",
    "contract": "party_a!: text 1 60 | party_b!: text 1 60 | signed!: format date | value: num 0 100000000 | currency: enum EUR|USD | clauses: list text",
}  # fmt: skip

# Kubernetes-like kinds: API version: kind: fields of its spec.
KINDS: dict[str, tuple[str, str]] = {
    "Deployment": ("apps/v1", "replicas: int 0 500 | paused: flag | minReadySeconds: int 0 3600 | revisionHistoryLimit: int 0 50?"),
    "DaemonSet": ("apps/v1", "minReadySeconds: int 0 3600 | revisionHistoryLimit: int 0 50"),
    "StatefulSet": ("apps/v1", "serviceName!: pattern label | replicas: int 0 500 | podManagementPolicy: enum OrderedReady|Parallel"),
    "Job": ("batch/v1", "parallelism: int 0 100 | completions: int 0 1000? | backoffLimit: int 0 20 | suspend: flag"),
    "CronJob": ("batch/v1", "schedule!: text 9 60 | suspend: flag | concurrencyPolicy: enum Allow|Forbid|Replace | startingDeadlineSeconds: int 0 86400"),
    "Service": ("v1", "type: enum ClusterIP|NodePort|LoadBalancer | clusterIP: format ipv4 | sessionAffinity: enum None|ClientIP | externalName: format hostname"),
    "ConfigMap": ("v1", "immutable: flag"),
    "Secret": ("v1", "immutable: flag | type: text 1 80"),
    "PersistentVolumeClaim": ("v1", "storageClassName: pattern label? | volumeMode: enum Block|Filesystem | accessModes!: set enum ReadWriteOnce|ReadOnlyMany"),
    "Ingress": ("networking.k8s.io/v1", "ingressClassName: pattern label | host!: format hostname | path: pattern path | port!: int 1 65535"),
    "NetworkPolicy": ("networking.k8s.io/v1", "policyTypes: set enum Ingress|Egress | ports: list int 1 65535"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "minReplicas: int 1 100 | maxReplicas!: int 1 500 | targetUtilisation: int 1 100"),
    "ResourceQuota": ("v1", "scopes: set enum Terminating|NotTerminating|BestEffort | cpu: pattern quantity | memory: pattern quantity"),
    "ServiceAccount": ("v1", "automountServiceAccountToken: flag | secrets: list pattern label"),
    "Namespace": ("v1", "finalizers: list pattern label"),
    "PriorityClass": ("scheduling.k8s.io/v1", "value!: int -1000 1000000 | globalDefault: flag | preemptionPolicy: enum Never|PreemptLowerPriority"),
}  # fmt: skip

# Self-describing events: vendor, event: fields.
EVENTS: dict[str, str] = {
    "com.example.shop/basket_changed": "sku!: text 1 64 | quantity!: int 0 1000 | price: num 0 100000 | currency: enum EUR|USD|GBP? | reason: text 0 255?",
    "com.example.shop/order_placed": "order_id!: text 1 64 | total!: num 0 1000000 | items!: int 1 500 | coupon: text 0 32? | gift: flag?",
    "com.example.web/page_scrolled": "url!: format uri | depth!: int 0 100 | milliseconds: int 0 3600000 | referrer: format uri?",
    "com.example.web/form_sent": "form!: text 1 100 | fields: list text 0 60 | valid!: flag | attempt: int 1 50",
    "com.example.app/screen_viewed": "screen!: text 1 80 | previous: text 0 80? | landscape: flag | build: pattern version",
    "com.example.app/crash": "message!: text 1 2048 | line: int 0 100000? | fatal!: flag | thread: text 0 64 | device: format uuid",
    "org.example.media/video_played": "video!: format uuid | position!: num 0 86400 | quality: enum low|medium|high? | muted: flag",
    "org.example.media/ad_shown": "ad!: text 1 64 | slot!: enum top|side|end | cents: int 0 10000? | skipped: flag?",
    "org.example.sensor/reading": "sensor!: format uuid | celsius: num -80 80? | humidity: num 0 100? | at!: format date-time",
    "io.example.mail/delivered": "to!: format email | at!: format date-time | bytes: int 0 50000000 | spam_score: num 0 10?",
    "io.example.login/attempted": "user!: text 1 64 | ok!: flag | address: format ipv4? | method: enum password|key|link",
    "io.example.search/performed": "terms!: text 1 255 | hits!: int 0 1000000 | page: int 1 1000 | filters: list text 0 60",
}  # fmt: skip

# Elements of a news story: type: fields.
STORY_PARTS: dict[str, str] = {
    "text": "content!: text 1 2000 | alignment: enum left|right|centre",
    "header": "content!: text 1 200 | level!: int 1 6",
    "image": "url!: format uri | caption: text 0 300 | width: int 1 10000 | height: int 1 10000 | copyright: text 0 100",
    "video": "url!: format uri | duration!: int 0 36000 | captions: flag | poster: format uri",
    "quote": "content!: text 1 600 | source: text 1 100",
    "divider": "",
    "link_list": "title: text 0 100 | links!: list format uri",
    "table": "columns!: list text 1 60 | rows: int 0 1000",
    "correction": "content!: text 1 500 | corrected!: format date-time | kind: enum correction|clarification|retraction",
    "embed": "provider!: enum video|social|map | reference!: text 1 200 | ratio: num 0 5",
}  # fmt: skip

# Settings of tools: tool: options.
SETTINGS: dict[str, str] = {
    "linter": "root: flag | maxWarnings: int 0 10000 | cache: flag | cacheLocation: pattern path | reporter: enum text|json|html | ignore: set text 1 200",
    "bundler": "entry!: pattern path | outDir: pattern path | minify: flag | target: enum es2015|es2020|esnext | sourcemap: enum inline|file|none | port: int 1 65535",
    "formatter": "lineWidth: int 40 320 | indent: int 0 16 2 | quotes: enum single|double | trailingComma: enum none|all | endOfLine: enum lf|crlf|auto",
    "tester": "files!: set text 1 200 | timeout: pattern duration | retries: int 0 10 | parallel: flag | seed: int 0 100000? | grep: text",
    "deployer": "region!: enum north|south|east|west | memory: int 128 8192 64 | timeout: int 1 900 | runtime!: enum py|node|go | environment: any",
    "package": "name!: pattern slug | version!: pattern version | description: text 0 300 | private: flag | homepage: format uri | keywords: set text 1 40",
    "pipeline": "image: text 1 200 | stage!: enum build|test|deploy | when: enum always|manual|never | retry: int 0 2 | timeout: pattern duration",
    "docs": "title!: text 1 80 | baseUrl: pattern path | language: enum en|de|fr|pt | search: flag | theme: enum light|dark|auto | logo: pattern path",
    "container": "image!: text 1 200 | restart: enum no|always|on-failure | ports: set text 1 20 | memory: pattern quantity | privileged: flag | hostname: format hostname",
    "scheduler": "cron!: text 9 60 | zone: text 1 40 | catchUp: flag | concurrency: int 1 100 | owner: format email | start: format date",
    "editor": "fontSize: int 6 72 | tabSize: int 1 16 | wordWrap: enum on|off|bounded | rulers: list int 1 400 | theme: text 1 60 | autosave: pattern duration",
    "proxy": "listen!: int 1 65535 | upstream!: format uri | health: pattern path | timeout: pattern duration | headers: any | tls: flag",
}  # fmt: skip
