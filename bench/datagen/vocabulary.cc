#include "vocabulary.h"

namespace mutirao::datagen {
namespace {

constexpr std::string_view kWordList[] = {
    "COMERCIO",    "SERVICOS", "ALIMENTOS", "CONSTRUTORA", "TRANSPORTES", "MODAS",      "BELEZA",        "MERCADO",
    "PADARIA",     "OFICINA",  "AUTO",      "PECAS",       "INFORMATICA", "SOLUCOES",   "CONSULTORIA",   "ENGENHARIA",
    "PROJETOS",    "REFORMAS", "ELETRICA",  "HIDRAULICA",  "JARDIM",      "FLORES",     "BOA",           "VISTA",
    "SANTA",       "SANTO",    "ANTONIO",   "MARIA",       "RITA",        "CRUZ",       "ALEGRE",        "PORTO",
    "SEGURO",      "NOVA",     "ESPERANCA", "CENTRO",      "PARQUE",      "INDUSTRIAL", "VILA",          "NORTE",
    "SUL",         "LESTE",    "OESTE",     "CAMPO",       "GRANDE",      "VERDE",      "RIO",           "CLARO",
    "BRANCO",      "PRETO",    "AZUL",      "OURO",        "PRATA",       "DIAMANTE",   "IMPERIAL",      "REAL",
    "NACIONAL",    "BRASIL",   "AMERICA",   "UNIAO",       "PROGRESSO",   "LIBERDADE",  "INDEPENDENCIA", "REPUBLICA",
    "TIRADENTES",  "GETULIO",  "VARGAS",    "CASTELO",     "FLORIANO",    "PEIXOTO",    "DEODORO",       "DUQUE",
    "CAXIAS",      "SETE",     "SETEMBRO",  "QUINZE",      "NOVEMBRO",    "MAIO",       "PRIMEIRO",      "MARCO",
    "DAS",         "DOS",      "DE",        "DA",          "DO",          "E",          "ACADEMIA",      "CLINICA",
    "LABORATORIO", "FARMACIA", "DROGARIA",  "RESTAURANTE", "LANCHONETE",  "PIZZARIA",   "SORVETERIA",    "CONFEITARIA",
    "TECIDOS",     "CALCADOS", "BOLSAS",    "JOIAS",       "RELOGIOS",    "OTICA",      "PAPELARIA",     "LIVRARIA",
};
// Octal escapes, as a hexadecimal one would swallow the letters that follow it.
constexpr std::string_view kAccentedList[] = {
    "S\303O",
    "JO\303O",
    "CONCEI\307\303O",
    "PRA\307A",
    "A\307A\315",
    "GOI\302NIA",
    "PAR\301",
    "CEAR\301",
    "MARANH\303O",
    "PIAU\315",
    "ROND\324NIA",
    "AMAP\301",
    "ESP\315RITO",
    "ELETR\324NICA",
    "COM\311RCIO",
    "SERVI\307OS",
    "CONSTRU\307\325ES",
    "M\363veis",
    "Cafeteria Cora\347\343o",
    "Avenida Get\372lio",
    "P\303O",
    "2\252",
    "N\272",
    "ANT\324NIO",
};
constexpr std::string_view kFirstNameList[] = {
    "ANA",      "MARIA",   "JOSE",   "JOAO",     "ANTONIO", "FRANCISCO", "CARLOS",  "PAULO",
    "PEDRO",    "LUCAS",   "LUIZ",   "MARCOS",   "GABRIEL", "RAFAEL",    "DANIEL",  "MARCELO",
    "BRUNO",    "EDUARDO", "FELIPE", "RAIMUNDA", "JULIANA", "MARCIA",    "ADRIANA", "FERNANDA",
    "PATRICIA", "ALINE",   "SANDRA", "CAMILA",   "AMANDA",  "BRUNA",     "JESSICA", "LETICIA",
};
constexpr std::string_view kSurnameList[] = {
    "SILVA",   "SANTOS",    "OLIVEIRA", "SOUZA",   "RODRIGUES", "FERREIRA", "ALVES",      "PEREIRA",
    "LIMA",    "GOMES",     "COSTA",    "RIBEIRO", "MARTINS",   "CARVALHO", "ALMEIDA",    "LOPES",
    "SOARES",  "FERNANDES", "VIEIRA",   "BARBOSA", "ROCHA",     "DIAS",     "NASCIMENTO", "ANDRADE",
    "MOREIRA", "NUNES",     "MARQUES",  "MACHADO", "MENDES",    "FREITAS",  "CARDOSO",    "RAMOS",
};
constexpr std::string_view kEmailHostList[] = {
    "GMAIL.COM",    "GMAIL.COM",  "GMAIL.COM",  "HOTMAIL.COM",  "hotmail.com", "gmail.com",
    "YAHOO.COM.BR", "uol.com.br", "BOL.COM.BR", "TERRA.COM.BR", "outlook.com", "ICLOUD.COM",
};
constexpr Weighted kStateList[] = {
    {"SP", 288}, {"MG", 97}, {"RJ", 75}, {"PR", 68}, {"RS", 68}, {"SC", 54}, {"BA", 52},
    {"PE", 35},  {"GO", 34}, {"CE", 32}, {"ES", 24}, {"MT", 20}, {"MA", 19}, {"PA", 22},
    {"MS", 15},  {"PB", 15}, {"DF", 17}, {"RN", 13}, {"AL", 10}, {"AM", 9},  {"PI", 8},
    {"TO", 6},   {"RO", 6},  {"SE", 6},  {"RR", 2},  {"AP", 2},  {"AC", 2},  {"EX", 1},
};
constexpr Weighted kStreetKindList[] = {
    {"RUA", 660}, {"AVENIDA", 180}, {"ESTRADA", 25}, {"RODOVIA", 20}, {"QUADRA", 20}, {"TRAVESSA", 18},
    {"", 13},     {"SITIO", 12},    {"PRACA", 12},   {"ALAMEDA", 10}, {"1A RUA", 30},
};
constexpr Weighted kSituationList[] = {{"02", 400}, {"08", 458}, {"04", 135}, {"03", 5}, {"01", 2}};
constexpr Weighted kLegalNatureList[] = {{"2135", 690}, {"2062", 230}, {"2240", 8},  {"3999", 28}, {"2305", 12},
                                         {"2054", 6},   {"1244", 4},   {"3085", 12}, {"3220", 10}};
constexpr Weighted kCompanySizeList[] = {{"01", 780}, {"05", 180}, {"03", 36}, {"00", 2}, {"", 2}};

constexpr bool AddsUp(std::span<const Weighted> list) {
  int sum = 0;
  for (const Weighted& entry : list) sum += entry.per_mille;
  return sum == 1000;
}
static_assert(AddsUp(kStateList) && AddsUp(kStreetKindList) && AddsUp(kSituationList));
static_assert(AddsUp(kLegalNatureList) && AddsUp(kCompanySizeList));

}  // namespace

const std::span<const std::string_view> kWords = kWordList;
const std::span<const std::string_view> kAccentedWords = kAccentedList;
const std::span<const std::string_view> kFirstNames = kFirstNameList;
const std::span<const std::string_view> kSurnames = kSurnameList;
const std::span<const std::string_view> kEmailHosts = kEmailHostList;
const std::span<const Weighted> kStates = kStateList;
const std::span<const Weighted> kStreetKinds = kStreetKindList;
const std::span<const Weighted> kSituations = kSituationList;
const std::span<const Weighted> kLegalNatures = kLegalNatureList;
const std::span<const Weighted> kCompanySizes = kCompanySizeList;

std::string_view Pick(Random& random, std::span<const std::string_view> list) {
  return list[random.Below(static_cast<uint32_t>(list.size()))];
}

std::string_view Pick(Random& random, std::span<const Weighted> list) {
  int left = static_cast<int>(random.Below(1000));
  for (const Weighted& entry : list) {
    left -= entry.per_mille;
    if (left < 0) return entry.text;
  }
  return list.front().text;
}

}  // namespace mutirao::datagen
