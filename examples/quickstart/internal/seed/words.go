package seed

// scripts are words of names by script. Some hold what SQL, JSON and careless code trip over.
var scripts = [][]string{
	{"Ada", "Grace", "Maria", "Carmen", "Lovelace", "Hopper", "Garcia", "de", "la", "Cruz", "van", "der", "Berg"},
	{"Zoë", "Søren", "Łukasz", "Günther", "Ágnes", "Nuñez", "Çelik", "İpek", "Straße", "Đặng", "Thị"},
	{"O'Neil", "D'Angelo", `"Shorty"`, `Back\slash`, "50%", "under_score", "--", "Null", "NULL", "true", "{}", "$1"},
	{"Анна", "Жанна", "Сергеевна", "Кузнецова", "Олександр", "Ђорђе"},
	{"Ελένη", "Παπαδοπούλου", "Γιώργος", "Μαρία"},
	{"山田", "太郎", "王", "小明", "さくら", "タナカ", "山田\u3000太郎"},
	{"김", "민준", "이", "서연"},
	{"محمد", "علي", "فاطمة", "الزهراء"},
	{"דוד", "כהן", "מרים"},
	{"अनिल", "कुमार", "शर्मा", "สมชาย", "ใจดี"},
	{"e\u0301lise", "Zoe\u0308", "\u200dJoiner", "No\u00a0Break"}, // combining marks and spaces that are none
}

var (
	mailboxes = []string{"ada+", "o'neil.", "customer-", "x_", "Grace."}
	streets   = []string{"Main Street", "Rue de l'Église", "Unter den Linden", "ул. Ленина", "Calle \"Sol\"", "中山路"}
	cities    = []string{"London", "Köln", "São Paulo", "Москва", "東京", "L'Aquila", "القاهرة"}
	countries = []string{"United Kingdom", "Deutschland", "Brasil", "Россия", "日本", "Italia", "Côte d'Ivoire"}
)
